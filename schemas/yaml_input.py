"""YAML that people write, read within limits: bytes, depth, elements, no anchors, no key twice, one document.

What is beyond them is refused by name while it is read event by event, before anything is made of it: an alias may
stand for a billion elements, and half a million dashes take half a gigabyte as nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from schemas.text import Text

MOST_BYTES: Final = 1 << 20
MOST_DEPTH: Final = 40
MOST_ELEMENTS: Final = 150_000
"""Values, lists and mappings together: some 9,000 SKUs of a catalogue with all their fields."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadYaml(Exception):
    """The text can't be used. `line` counts from 1, 0 = unknown; `text` quotes no value."""

    def __init__(self, line: int, en: str, zh: str) -> None:
        super().__init__(f"line {line}: {en}" if line else en)
        self.line = line
        self.text = Text(en, zh)


def checked(raw: str | bytes) -> str:
    """The text of a file that keeps all limits. Raises BadYaml."""
    text = _decoded(raw)
    depth = documents = elements = 0
    for event in _events(text):
        line = event.start_mark.line + 1 if event.start_mark else 0
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        elements += isinstance(event, yaml.NodeEvent)
        if depth > MOST_DEPTH:
            raise BadYaml(line, f"is nested deeper than {MOST_DEPTH} levels", f"嵌套超过 {MOST_DEPTH} 层")
        if elements > MOST_ELEMENTS:
            raise BadYaml(line, f"holds more than {MOST_ELEMENTS:,} values", f"内容超过 {MOST_ELEMENTS:,} 项")
        if documents > 1:
            raise BadYaml(line, "starts a second document (---); keep one", "出现了第二个文档（---），请只保留一个")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadYaml(line, "uses an anchor (& or *); write the value out", "使用了锚点（& 或 *），请直接写出内容")
    return text


def load(raw: str | bytes) -> Any:
    """Plain Python values. Raises BadYaml."""
    text = checked(raw)
    try:
        return yaml.load(text, Loader=_Strict)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise _invalid(error) from None
    except ValueError:
        raise BadYaml(
            0, "holds a number or a time that is none; put it in quotes", "含有无效的数字或时间，请加引号"
        ) from None


class _Strict(Loader):  # type: ignore[misc]  # which one it is depends on how PyYAML was built
    """A SafeLoader that takes no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping. Raises ConstructorError."""
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice; keep one", node.start_mark)
        return made


def _decoded(raw: str | bytes) -> str:
    size = len(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise BadYaml(0, f"the file is larger than {MOST_BYTES >> 20} MiB", f"文件超过 {MOST_BYTES >> 20} MiB")
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadYaml(
            line, "the file is not UTF-8 text; save it as UTF-8", "文件不是 UTF-8 编码，请另存为 UTF-8"
        ) from None


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        raise _invalid(error) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise BadYaml(0, "holds a character that YAML does not allow", "含有 YAML 不允许的字符") from None


def _invalid(error: yaml.MarkedYAMLError) -> BadYaml:
    mark = error.problem_mark or error.context_mark
    detail = (error.problem or error.context or "").replace("\n", " ")
    return BadYaml(
        mark.line + 1 if mark else 0,
        f"is not valid YAML: {detail}; check indents, colons and quotes",
        f"不是有效的 YAML（{detail}）；请检查缩进、冒号和引号",
    )
