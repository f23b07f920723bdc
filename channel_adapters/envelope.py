"""Bodies opened level by level: rows are cut out, bytes untouched, before anything inside them is parsed.

So one row that no parser takes does not poison its page: its neighbours arrive, and it goes on alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, KeysView, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NoReturn, TypeVar

import msgspec
import orjson
from pydantic import BaseModel

from channel_adapters.contract import RawOrder, UnreadablePayload
from channel_adapters.limits import check_body, check_payload, loosely
from channel_adapters.model_reading import read_model
from channel_adapters.refusal import AN_ID, reject
from schemas.codes import PayloadProblem

MAX_ROWS: Final = 10_000
"""Of one page. Platforms give 100, at the most 250."""

_MOST_QUOTES: Final = 2_000_000  # what the slow cutter walks through

M = TypeVar("M", bound=BaseModel)

_BLANKS: Final = b" \t\r\n"
_PACKED: Final = (b"\x1f\x8b", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x28\xb5\x2f\xfd")
"""How gzip, deflate (zlib, by level) and zstd begin."""

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_NAMED: Final = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:', re.DOTALL)

_VALUE: Final = re.compile(rb'\{.*\}|\[.*\]|"[^"\\]*(?:\\.[^"\\]*)*"|[\w.+-]+', re.DOTALL)

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Envelope:
    """The JSON object that a body is. Nothing in it is parsed before it is asked for."""

    def __init__(self, body: bytes) -> None:
        """Raises UnreadablePayload: too-large, too-many-elements, compressed, broken-json, not-an-order."""
        check_body(body)
        self.body = body.removeprefix(b"\xef\xbb\xbf").strip(_BLANKS)
        if not self.body.startswith(b"{"):
            _refuse_bare(self.body)
        self._members = members(self.body)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def names(self) -> KeysView[str]:
        """The names of its members."""
        return self._members.keys()

    def value(self, *path: str) -> bytes | None:
        """The untouched bytes of the value at `path`; None when there is none."""
        found = self.body
        for name in path:
            if not found.startswith(b"{"):
                return None
            inside = (self._members if found is self.body else members(found)).get(name)
            if inside is None:
                return None
            found = bytes(inside)
        return found

    def is_object(self, *path: str) -> bool:
        """Whether an object stands at `path`."""
        value = self.value(*path)
        return value is not None and value.startswith(b"{")

    def read(self, *path: str) -> Any:
        """The value at `path`, parsed, for looking at errors and codes; None when there is none.

        Money and ids of orders are never read so.
        """
        value = self.value(*path)
        if value is None:
            return None
        check_payload(value)
        return loosely(value)

    def rows(self, *path: str) -> list[bytes]:
        """The untouched bytes of each element of the list at `path`. See `rows`."""
        value = self.value(*path)
        return [] if value is None else rows(value)


def members(text: bytes) -> Mapping[str, bytes | msgspec.Raw]:
    """The untouched bytes of each member of an object, uncopied where that can be."""
    found: dict[str, bytes | msgspec.Raw] = {}
    try:
        return _members(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        for part in _parts(text):
            named = _NAMED.match(part)
            if named is None:
                _refuse_broken()
            value = part[named.end() :].strip(_BLANKS)
            if _VALUE.fullmatch(value) is None:
                _refuse_broken()
            found[_name(named[1])] = value
    return found


def rows(text: bytes) -> list[bytes]:
    """The untouched bytes of each element of a list.

    Platforms are loose about lists: null and `{}` are an empty one, a single object is a list of one.
    """
    text = text.strip(_BLANKS)
    if not text.startswith(b"["):
        return [] if text in (b"null", b'""') or not text.strip(b"{} \t\r\n") else [text]
    if len(text) > MAX_ROWS:  # a row takes a byte at the least
        check_body(text)
    try:
        found = [bytes(raw) for raw in _elements(text)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = list(_parts(text))
    if len(found) > MAX_ROWS:
        reject("too-many-elements", "", PayloadProblem.ROWS_OVER(most=MAX_ROWS))
    return found


def _parts(text: bytes) -> Iterator[bytes]:
    """What stands between the commas of the list or object, found by brackets and quotes alone."""
    if text.count(b'"') > _MOST_QUOTES:
        reject("too-many-elements", "", PayloadProblem.QUOTES_OVER(most=_MOST_QUOTES))
    depth = begin = 0
    for token in _TOKEN.finditer(text):
        sign = text[token.start()]
        if sign in b"[{":
            depth += 1
            if depth == 1:
                begin = token.end()
        elif sign in b"]}":
            depth -= 1
            if depth <= 0:
                if text[token.end() :].strip(_BLANKS):
                    _refuse_broken()
                last = text[begin : token.start()].strip(_BLANKS)
                if last:
                    yield last
                return
        elif sign == 0x2C and depth == 1:
            yield text[begin : token.start()].strip(_BLANKS)
            begin = token.end()
    _refuse_broken()


def _name(quoted: bytes) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted.decode("utf-8", "replace")


def _refuse_bare(body: bytes) -> NoReturn:
    """A body that is no object."""
    if body.startswith((b"[", b'"')) or body in (b"null", b"true", b"false") or body[:1].isdigit():
        reject("not-an-order", "", PayloadProblem.NOT_A_JSON_OBJECT())
    if body.startswith(_PACKED):
        reject("compressed", "", PayloadProblem.PACKED())
    _refuse_broken()


def _refuse_broken() -> NoReturn:
    reject("broken-json", "", PayloadProblem.NOT_JSON())


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object a body is. For looking at what an answer is; money and ids are never read from it."""
    check_body(body)
    try:
        value = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        value = loosely(body)
    if not isinstance(value, dict):
        reject("not-an-order", "", PayloadProblem.NOT_A_JSON_OBJECT())
    return value


def deleted_id(body: bytes) -> str | None:
    """The id in a body that holds an id and nothing else, as the pushes about deleted things do."""
    try:
        told = read_object(body)
    except UnreadablePayload:
        return None
    value = told.get("id")
    text = str(value) if type(value) in (int, str) and set(told) == {"id"} else ""
    return text if AN_ID.fullmatch(text) else None


# -- rows ----------------------------------------------------------------------------------------------------------


def raw_order(payload: bytes, head: type[M], identify: Callable[[M], tuple[str, datetime | None]]) -> RawOrder:
    """One order object with what keys it. `head` is a slim model of just that; `identify` says id and modify time.

    A row that cannot be read is looked at member by member for its head; one that does not even say which order it
    is travels on under a made-up id. Normalization refuses either by name, so that it is neither lost nor in the way.
    """
    try:
        return RawOrder(*identify(read_model(head, payload)), payload)
    except UnreadablePayload:
        pass
    try:
        return RawOrder(*identify(read_model(head, _head_of(payload, head))), payload)
    except UnreadablePayload:
        return unidentified(payload)


def _head_of(payload: bytes, head: type[BaseModel]) -> bytes:
    """Only the members that the head reads, each left out when it is no JSON."""
    wanted = {info.validation_alias or info.alias or name for name, info in head.model_fields.items()}
    kept = {name: value for name, value in members(payload.strip(_BLANKS)).items() if name in wanted}
    found = {}
    for name, value in kept.items():
        try:
            found[name] = loosely(bytes(value))
        except UnreadablePayload:
            continue
    return json.dumps(found).encode()


def when(read: Callable[[], datetime | None]) -> datetime | None:
    """A modify time for the poller, None when it cannot be read: the template refuses it by name."""
    try:
        return read()
    except UnreadablePayload:
        return None


def unidentified(payload: bytes) -> RawOrder:
    """A row of a page that does not say which order it is. It travels on under a made-up id, so that one bad row
    neither stops its page nor is lost: normalization refuses it by name.
    """
    return RawOrder(f"unidentified-{blake2b(payload, digest_size=8).hexdigest()}", None, payload)
