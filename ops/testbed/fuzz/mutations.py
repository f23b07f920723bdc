"""What may become of a JSON document on its way: by structure, by meaning, and byte by byte."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from ops.testbed.fuzz.json_text import Pairs, Raw, dumps

Path = tuple[str | int, ...]

_RARE: Final = 0.01  # of changes that put in something huge

ODD: Final[tuple[Any, ...]] = (
    None, True, False, {}, [], [[]], [None], [{}], {"": None}, [1, "a"], "", " ", "\u3000", "0", 0, -1, 1, 1.5, "1.5",
    Raw("1.794E2"), Raw("1e400"), Raw("-0"), Raw("-0.0"), Raw("NaN"), Raw("9" * 50), Raw("9" * 4300), "9" * 50,
    "9" * 4300, 2**31, 2**53 + 1, 2**63, -(2**63), 10**18, "1e3", "1,000", "１２", "٣", "0x10", "1_0", "+1", "null",
    "true", "{}", "[]", "{", "[[[[", "nobody-knows-this-word", "\u200b", "\u0000", "\x7f", "\u202e", "😀" * 20,
    "2026-13-45 99:99:99", "0000-00-00 00:00:00", "1970-01-01T00:00:00", "9999-12-31T23:59:59Z", "2026-09-20",
    253402300800, 99999999999999, -62135596800, "a:b:c", "../..", "%s%n", "<b>", "x" * 300, "汉" * 3000,
)  # fmt: skip
NOT_JSON: Final = frozenset({Raw("NaN"), Raw("1e400"), Raw("9" * 4300)})
"""Of these: what a parser may refuse whole."""
SURROGATES: Final = ("\ud800", "a\udfffb", "\ud83d")
HUGE: Final[tuple[Any, ...]] = (
    "x" * 70_000,
    "汉" * 300_000,
    Raw("[" * 5000 + "]" * 5000),
    Raw('{"a":' * 300 + "1" + "}" * 300),
)


_ODD_JSON: Final = tuple(each for each in ODD if not (isinstance(each, Raw) and each in NOT_JSON))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed document. `changed`: the paths that were touched; empty when its bytes were."""

    body: bytes
    changed: tuple[Path, ...] = ()
    is_small: bool = True  # nothing huge, deep or half was put in


def paths_of(value: Any) -> list[Path]:
    """Every place of a document but its root."""
    found: list[Path] = []
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, here = stack.pop()
        items = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        for key, each in items:
            found.append((*path, key))
            stack.append(((*path, key), each))
    return found


class Mutator:
    """Makes mutants of one document; `words`: values that other documents of the kind hold, by key."""

    def __init__(self, document: Any, words: dict[str, list[Any]]) -> None:
        self._text = json.dumps(document)
        self._paths = paths_of(document)
        self._words = words

    def structural(self, random: Random) -> Mutant:
        """One to three changes at random places."""
        document = json.loads(self._text)
        changed, small = [], True
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            path = random.choice(self._paths)
            parent = _parent(document, path)
            if parent is None:
                continue
            change = random.choice((_huge, _bomb)) if random.random() < _RARE else random.choice(_CHANGES)
            small = small and change not in (_huge, _bomb)
            change(parent, path[-1], random, self._words)
            changed.append(path)
        return Mutant(dumps(document).encode(), tuple(changed), small)

    def at(self, paths: Sequence[Path], random: Random) -> Mutant:
        """One odd value at one of these places."""
        document, path = json.loads(self._text), random.choice(paths)
        parent = _parent(document, path)
        if parent is not None:
            parent[path[-1]] = copy.copy(random.choice(_ODD_JSON))
        return Mutant(dumps(document).encode(), (path,))

    def bytewise(self, random: Random) -> Mutant:
        """Bytes lost, doubled, changed or put in."""
        body = bytearray(self._text.encode())
        for _ in range(random.choice((1, 1, 2, 5))):
            at, length = random.randrange(len(body) or 1), random.choice((1, 1, 2, 8, 100))
            match random.randrange(6):
                case 0:
                    del body[at : at + length]
                case 1:
                    body[at:at] = body[at : at + length]
                case 2:
                    body[at : at + 1] = random.randbytes(1)
                case 3:
                    body[at:at] = random.choice(
                        (b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"\xc3\x28", b"\xed\xa0\x80", b'"')
                    )
                case 4:
                    del body[at:]
                case _:
                    body[at : at + 1] = random.choice(b'{}[],:"\\0-').to_bytes()
        return Mutant(bytes(body), is_small=False)


def _parent(document: Any, path: Path) -> Any:
    """The container of a place; None when an earlier change took it away."""
    here: Any = document
    key: Any
    for key in path[:-1]:
        if not _holds(here, key):
            return None
        here = here[key]
    return here if _holds(here, path[-1]) else None


def _holds(here: Any, key: Any) -> bool:
    if isinstance(here, list):
        return isinstance(key, int) and key < len(here) and not isinstance(here, Pairs)
    return isinstance(here, dict) and key in here


# -- changes -------------------------------------------------------------------------------------------------------

Change = Callable[[Any, Any, Random, dict[str, list[Any]]], None]


def _odd(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    parent[key] = copy.copy(random.choice(ODD))


def _half(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    parent[key] = random.choice(SURROGATES)


def _huge(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    parent[key] = random.choice(HUGE)


def _swap(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """Text for number, single for list, list for mapping; and the other way round."""
    value = parent[key]
    if isinstance(value, bool):
        parent[key] = random.choice((str(value).lower(), int(value), str(int(value))))
    elif isinstance(value, int | float):
        parent[key] = random.choice((str(value), float(value), f" {value} ", [value]))
    elif isinstance(value, str):
        number = Raw(value) if value.lstrip("-").replace(".", "", 1).isdecimal() and value[:1] != "0" else [value]
        parent[key] = random.choice((number, [value], {"value": value}))
    elif isinstance(value, list):
        parent[key] = random.choice(
            (value[0] if value else {}, {str(at): each for at, each in enumerate(value)}, [value])
        )
    elif isinstance(value, dict):
        parent[key] = random.choice(([value], list(value.values()), dumps(value)))
    else:
        parent[key] = random.choice(("", 0, [], {}))


def _drop(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    del parent[key]


def _double(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """A row twice, or a key twice: in a mapping the last one counts."""
    if isinstance(parent, list):
        parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
    else:
        parent[key] = Pairs([("x", parent[key])]) if random.random() < 0.2 else parent[key]
        parent[f"{key} "] = copy.deepcopy(parent[key])


def _rename(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    if isinstance(parent, dict):
        parent[random.choice((key.upper(), key.title().replace("_", ""), f"{key}s", f" {key}", ""))] = parent.pop(key)


def _blanks(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    if isinstance(parent[key], str | int):
        parent[key] = random.choice((" {} ", "{}\n", "\u3000{}", "\u200b{}", "{}\ufeff", "\t{}")).format(parent[key])


def _scale(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """Milliseconds for seconds, fen for yuan, and back; or its negative."""
    value = parent[key]
    if isinstance(value, int | float) and not isinstance(value, bool):
        parent[key] = random.choice((value * 1000, value * 100, value // 1000, -value, value + 1, value * 10**9))
    elif isinstance(value, str) and value.isdecimal() and len(value) < 400:
        parent[key] = str(int(value) * random.choice((1000, 100, -1, 10**9)))


def _other_word(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """What this field holds elsewhere, or what another field holds."""
    known = words.get(key if isinstance(key, str) else "", ())
    parent[key] = copy.deepcopy(random.choice(known or random.choice(list(words.values()))))


def _same_id(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """A row gets the ids of another one."""
    if isinstance(parent, list) and len(parent) > 1 and isinstance(parent[key], dict):
        other = random.choice(parent)
        if isinstance(other, dict):
            parent[key].update({name: copy.deepcopy(other[name]) for name in other if "id" in name.lower()})


def _bomb(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    """Many of them; the million is tried apart."""
    if isinstance(parent, list):
        parent += [copy.copy(parent[key])] * random.choice((100, 1000))
    else:
        parent[key] = [random.choice((None, {}, [], 0, ""))] * random.choice((1000, 20_000))


def _reorder(parent: Any, key: Any, random: Random, words: dict[str, list[Any]]) -> None:
    if isinstance(parent, list):
        random.shuffle(parent)
    else:
        items = list(parent.items())
        random.shuffle(items)
        parent.clear()
        parent.update(items)


_CHANGES: Final[tuple[Change, ...]] = (
    *(_odd,) * 6, *(_swap,) * 4, *(_drop,) * 3, *(_other_word,) * 3, *(_blanks,) * 2, *(_scale,) * 2, _double, _double,
    _rename, _same_id, _reorder, _half,
)  # fmt: skip
