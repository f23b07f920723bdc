"""A YAML file as a tree that knows where each value stands. Strict where YAML is sloppy.

Duplicate keys, anchors and runaway nesting are refused. Text stays text: `version: 1.10`, `22:00` and `NO` mean what
was written, not a float, a number of minutes and a Boolean, as YAML 1.1 would have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import yaml

from schemas.text import Text
from schemas.yaml_input import BadYaml, Loader, checked
from workers.rules.problems import Problem, RulesetErrors, did_you_mean

_TRUE_FALSE: Final = {"true": True, "false": False}


@dataclass(slots=True)
class Problems:
    """Collects what is wrong with one file. Places are told at the end, when every part has its name."""

    source: str
    found: list[tuple[Callable[[], Text], int, Text]] = field(default_factory=list)

    def add(self, place: Callable[[], Text], line: int, en: str, zh: str) -> None:
        """Note a problem and go on: the reader wants all of them."""
        self.found.append((place, line, Text(en, zh)))

    def raise_if_any(self) -> None:
        """Raises RulesetErrors with everything found."""
        if self.found:
            raise RulesetErrors([Problem(self.source, line, place(), text) for place, line, text in self.found])


class Node:
    """A value in the file: a scalar (its text as written), a list or a mapping of nodes."""

    __slots__ = ("_owner", "_path", "_problems", "items", "keys", "line", "scalar")

    def __init__(self, problems: Problems, line: int, path: str, owner: Text) -> None:
        self._problems = problems
        self._path = path
        self._owner = owner
        self.line = line
        self.scalar: str | None = None
        self.items: list[Node] | None = None
        self.keys: dict[str, Node] | None = None

    # -- where it stands ---------------------------------------------------------------------------------------------

    def belongs_to(self, owner: Text) -> None:
        """Say that this node and all below it belong to a named thing: places are told from there."""
        self._rename(owner, len(self._path))

    def _rename(self, owner: Text, cut: int) -> None:
        self._owner, self._path = owner, self._path[cut:].lstrip(".")
        for child in [*(self.items or ()), *(self.keys or {}).values()]:
            child._rename(owner, cut)

    @property
    def place(self) -> Text:
        """`rule cold-chain, then.force`."""
        owner, path = self._owner, self._path
        if not owner.en or not path:
            return owner if owner.en else Text(path, path)
        return Text(f"{owner.en}, {path}", f"{owner.zh}，{path}")

    def problem(self, en: str, zh: str, *, line: int | None = None) -> None:
        """Note something wrong with this value; `line` when it shows elsewhere."""
        self._problems.add(lambda: self.place, self.line if line is None else line, en, zh)

    # -- reading it --------------------------------------------------------------------------------------------------

    def mapping(self, known: Collection[str] | None = None, required: Collection[str] = ()) -> dict[str, Node]:
        """Its fields. Unknown and missing ones are noted; an unknown one is left out."""
        if self.keys is None:
            self.problem("should be a group of fields, written as `name: value`", "应该是一组字段，写成 `名称: 值`")
            return {}
        for name in required:
            if name not in self.keys:
                self.problem(f"{name} is missing", f"缺少 {name}")
        if known is None:
            return self.keys
        for name, child in self.keys.items():
            if name not in known:
                hint = did_you_mean(name, known)
                child.problem(f"there is no field {name} here{hint.en}", f"这里没有字段 {name}{hint.zh}")
        return {name: child for name, child in self.keys.items() if name in known}

    def rows(self) -> list[Node]:
        """Its items, where only a list will do."""
        if self.items is None:
            self.problem("should be a list, each entry after a dash", "应该是列表，每项以短横线开头")
            return []
        return self.items

    def text(self) -> str:
        """Its text, not empty; "" when there is a problem."""
        if self.scalar is None:
            self.problem("should be one value", "应该是单个值")
            return ""
        if not self.scalar.strip():
            self.problem("is empty", "不能为空")
        return self.scalar.strip()

    def texts(self) -> tuple[str, ...]:
        """One text or a list of texts, at least one; bad ones are noted and left out."""
        return tuple(text for text in [node.text() for node in self.some()] if text)

    def choices(self, known: Collection[str], en: str, zh: str) -> tuple[str, ...]:
        """One or more words out of a closed set; `en` and `zh` say what such a word is called."""
        return tuple(word for word in [node.choice(known, en, zh) for node in self.some()] if word)

    def some(self) -> list[Node]:
        """Its items, at least one. A single value stands for a list of one."""
        nodes = [self] if self.items is None else self.items
        if not nodes:
            self.problem("is an empty list", "列表不能为空")
        return nodes

    def choice(self, known: Collection[str], en: str, zh: str) -> str:
        """A word out of a closed set, "" when it is another."""
        word = self.text()
        if word and word not in known:
            hint = did_you_mean(word, known)
            self.problem(f"{word} is not {en}{hint.en}", f"{word} 不是{zh}{hint.zh}")
            return ""
        return word

    def integer(self, least: int, most: int) -> int:
        """A whole number in bounds; `least` when there is a problem."""
        text = self.text()
        if not text:
            return least
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 18 and least <= int(text) <= most:
            return int(text)
        self.problem(
            f"should be a whole number from {least} to {most}, not {text}",
            f"应该是 {least} 到 {most} 的整数，而不是 {text}",
        )
        return least

    def truth(self) -> bool | None:
        """`true` or `false`; None when there is a problem."""
        text = self.text()
        if text and text.lower() not in _TRUE_FALSE:
            self.problem(f"should be true or false, not {text}", f"应该是 true 或 false，而不是 {text}")
            return None
        return _TRUE_FALSE.get(text.lower())

    def moment(self) -> datetime | None:
        """A time with its offset from UTC, brought to UTC; None when there is a problem."""
        text = self.text()
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            parsed = None
        if parsed is None or parsed.tzinfo is None:
            if text:
                self.problem(
                    f"should be a time with its offset, such as 2026-11-11T00:00:00+08:00, not {text}",
                    f"应该是带时区的时间，例如 2026-11-11T00:00:00+08:00，而不是 {text}",
                )
            return None
        return parsed.astimezone(UTC)


def read_document(text: str | bytes, source: str) -> tuple[Node, Problems]:
    """Read YAML into nodes. Raises RulesetErrors when it can't be read at all; `source` is the file's name."""
    problems = Problems(source)
    try:
        root = yaml.compose(checked(text), Loader=Loader)
    except BadYaml as error:
        raise _refusal(source, error.line, error.text) from None
    if root is None:
        raise _refusal(source, 0, Text("the file is empty", "文件是空的"))
    return _node(root, problems, "", Text("", "")), problems


def _refusal(source: str, line: int, text: Text) -> RulesetErrors:
    return RulesetErrors([Problem(source, line, Text("", ""), text)])


def _node(raw: yaml.Node, problems: Problems, path: str, owner: Text) -> Node:
    node = Node(problems, _line(raw), path, owner)
    if isinstance(raw, yaml.MappingNode):
        node.keys = _fields(raw, problems, node, path, owner)
    elif isinstance(raw, yaml.SequenceNode):
        node.items = [_node(item, problems, f"{path}[{number}]", owner) for number, item in enumerate(raw.value, 1)]
    else:
        node.scalar = "" if raw.tag == "tag:yaml.org,2002:null" else str(raw.value)
    return node


def _fields(raw: yaml.MappingNode, problems: Problems, node: Node, path: str, owner: Text) -> dict[str, Node]:
    fields: dict[str, Node] = {}
    for key, value in raw.value:
        if not isinstance(key, yaml.ScalarNode):
            node.problem("has a field name that is not a word", "字段名应该是一个词")
            continue
        name = str(key.value)
        if name in fields:
            fields[name].problem("stands here twice; keep one", "重复出现，请只保留一个", line=_line(key))
            continue
        fields[name] = _node(value, problems, f"{path}.{name}" if path else name, owner)
        fields[name].line = _line(key)
    return fields


def _line(raw: yaml.Node) -> int:
    return raw.start_mark.line + 1 if raw.start_mark else 0
