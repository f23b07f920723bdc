"""Reading wire data: money, times, untouched slices of JSON, and validation errors that quote no values.

Every function raises UnreadablePayload with the path of the field at fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from json.decoder import JSONDecodeError
from typing import Any, Final, NoReturn, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from channel_adapters.contract import OrderHint, RawOrder, UnreadablePayload
from channel_adapters.quick import reader
from schemas.order import Order
from schemas.revision import revision_of
from schemas.text import Text

MAX_PAYLOAD_BYTES: Final = 10 << 20
"""One order object. Real ones stay under 100 kB; the limit keeps one hostile body from filling a worker."""

MAX_LINES: Final = 2000

_AHEAD: Final = timedelta(hours=8)
BEIJING: Final = timezone(_AHEAD)

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E")

_YUAN = re.compile(r"(-?)(\d{1,13})(?:\.(\d*))?", re.ASCII)
_NEVER = ("", "0001-01-01", "0000-00-00", "1970-01-01")


def refuse(code: str, where: str, en: str, zh: str) -> NoReturn:
    """Raise UnreadablePayload."""
    raise UnreadablePayload(code, where, Text(en=en, zh=zh))


_AN_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


def hint(en: str, zh: str, *order_ids: object) -> NoReturn:
    """Raise OrderHint, with those of `order_ids` that look like ids."""
    texts = (str(each) for each in order_ids if type(each) in (int, str))
    raise OrderHint(Text(en=en, zh=zh), [text for text in texts if _AN_ID.fullmatch(text)])


def deleted_id(body: bytes) -> str | None:
    """The id in a body that holds an id and nothing else, as the pushes about deleted things do."""
    try:
        told = read_object(body)
    except UnreadablePayload:
        return None
    value = told.get("id")
    text = str(value) if type(value) in (int, str) and set(told) == {"id"} else ""
    return text if _AN_ID.fullmatch(text) else None


# -- money ---------------------------------------------------------------------------------------------------------


def minor_units(value: str | float, where: str, *, digits: int = 2, negative: bool = False) -> int:
    """An amount in major units, as text or JSON number, in minor units: "12.30" -> 1230. Exact: no float arithmetic.

    More decimals than the currency has are refused unless they are zeros. A JSON number arrives as the shortest text
    that means it, which is what the platform wrote.
    """
    text = value if type(value) is str else repr(value)
    whole, _, part = text.partition(".")
    if len(part) < digits:
        part = part.ljust(digits, "0")
    plain = whole + part
    if plain.isdecimal() and len(part) == digits and whole and len(whole) <= 13 and plain.isascii():
        return int(plain)  # nearly every amount, in half the time of the pattern
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        refuse("bad-money", where, "is not an amount of money", "不是有效的金额")
    sign, whole, part = match.groups()
    part = part or ""
    if len(part) > digits and part[digits:].strip("0"):
        refuse("bad-money", where, f"has more than {digits} decimals", f"金额小数超过 {digits} 位")
    scale: int = 10**digits
    amount = int(whole) * scale + int((part[:digits]).ljust(digits, "0") or 0)
    if not sign:
        return amount
    if not negative and amount:
        refuse("bad-money", where, "is negative, and this amount never is", "金额为负数，此字段不允许为负")
    return -amount


_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_OTHER_DIGITS: Final = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)


def currency_digits(code: str, where: str) -> int:
    """How many decimals a currency has (ISO 4217): JPY 0, KWD 3, nearly all others 2."""
    if len(code) != 3 or not (code.isascii() and code.isupper()):
        refuse("bad-currency", where, "is not a currency code of three letters", "不是三位货币代码")
    return _OTHER_DIGITS.get(code, 2)


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in shares proportional to `weights`, summing exactly: the largest remainders get the rest.

    Equal shares when all weights are zero. Neither `amount` nor a weight may be negative.
    """
    if len(weights) == 1:
        return [amount]
    if not any(weights):
        weights = [1] * len(weights)
    total = sum(weights)
    shares = [amount * weight // total for weight in weights]
    rest = amount - sum(shares)
    if not rest:
        return shares
    left = [-(amount * weight % total) for weight in weights]
    for index in sorted(range(len(weights)), key=left.__getitem__)[:rest]:
        shares[index] += 1
    return shares


# -- time ----------------------------------------------------------------------------------------------------------


def beijing_time(text: str | None, where: str) -> datetime | None:
    """`yyyy-MM-dd HH:mm:ss` in Beijing, as UTC. None when it has not happened: missing, "", year 1, the epoch."""
    try:
        return _from_beijing(text)
    except (ValueError, OverflowError):
        refuse(
            "bad-time", where, "is not a time of the form 2026-11-11 00:00:00", "不是 2026-11-11 00:00:00 格式的时间"
        )


@lru_cache(4096)  # times are told to the second, and in the worst minute a thousand orders share one
def _from_beijing(text: str | None) -> datetime | None:
    if text is None or text[:10] in _NEVER:
        return None
    try:
        return datetime.fromisoformat(text + "Z") - _AHEAD  # a fifth of what going through a time zone costs
    except (ValueError, OverflowError):
        pass  # a time with its own offset, a date alone, or no time at all
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)


def unix_time(seconds: int | None, where: str) -> datetime | None:
    """Unix seconds as UTC. None when it has not happened: missing or 0."""
    if not seconds:
        return None
    try:
        return _from_unix(seconds)
    except (ValueError, OverflowError, OSError):
        refuse("bad-time", where, "is not a time in unix seconds", "不是有效的 Unix 秒时间戳")


@lru_cache(4096)
def _from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def iso_time(text: str | None, where: str, *, assume_utc: bool = False) -> datetime | None:
    """ISO 8601 as UTC. Without an offset it is refused, unless the field is documented to be UTC (`assume_utc`)."""
    if not text:
        return None
    try:
        moment = _from_iso(text)
    except (ValueError, OverflowError):
        refuse("bad-time", where, "is not an ISO 8601 time", "不是 ISO 8601 格式的时间")
    if moment.tzinfo is not None:
        return moment
    if not assume_utc:
        refuse("bad-time", where, "has no time zone", "时间缺少时区")
    return moment.replace(tzinfo=UTC)


@lru_cache(4096)
def _from_iso(text: str) -> datetime:
    """In UTC where it has an offset, else as it stands."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def required(value: E | None, where: str) -> E:
    """`value`, refused when it is missing."""
    if value is None:
        refuse("missing-field", where, "is missing", "缺少此字段")
    return value


def choose(table: Mapping[Any, E], word: Any, where: str) -> E:
    """What a platform's word means to us. An unknown word is refused: guessing ships goods that must not go."""
    try:
        return table[word]
    except KeyError:
        refuse(
            "unknown-status",
            where,
            f"holds the value {str(word)[:40]!r}, which this version does not know",
            f"取值 {str(word)[:40]!r} 未知，当前版本不认识",
        )


# -- JSON ----------------------------------------------------------------------------------------------------------


def read_model(model: type[M], payload: bytes) -> M:
    """What the bytes say, with the attributes of `model`. The error names the first field at fault, never its value."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        refuse("too-large", "", f"is larger than {MAX_PAYLOAD_BYTES >> 20} MB", f"超过 {MAX_PAYLOAD_BYTES >> 20} MB")
    try:
        return reader(model)(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not _is_union_tag(part))
    if first["type"] == "json_invalid":
        refuse("broken-json", "", "is not valid JSON", "不是合法的 JSON")
    if first["type"] == "missing":
        refuse("missing-field", where, "is missing", "缺少此字段")
    plain = _PLAIN_WORDS.get(
        first["type"], Text(f"does not fit: {first['type']}", f"字段类型或取值不符：{first['type']}")
    )
    refuse("bad-field", where, plain.en, plain.zh)


_WHOLE_NUMBER: Final = Text("should be a whole number", "应为整数")
_OBJECT: Final = Text("should be a JSON object", "应为 JSON 对象")
_OUT_OF_RANGE: Final = Text("is out of range", "超出允许范围")
_PLAIN_WORDS: Final[Mapping[str, Text]] = {
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": Text("should be a number", "应为数字"),
    "bool_type": Text("should be true or false", "应为 true 或 false"),
    "string_type": Text("should be a text", "应为文本"),
    "string_too_short": Text("is too short a text", "文本过短"),
    "string_too_long": Text("is too long a text", "文本过长"),
    "string_pattern_mismatch": Text("has characters that it may not have", "含有不允许的字符"),
    "list_type": Text("should be a JSON list", "应为 JSON 数组"),
    "too_short": Text("has too few entries", "条目过少"),
    "too_long": Text("has too many entries", "条目过多"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "greater_than": _OUT_OF_RANGE,
    "greater_than_equal": _OUT_OF_RANGE,
    "less_than_equal": _OUT_OF_RANGE,
}
"""What pydantic's names for errors mean to a shop's IT person."""


_UNION_TAG = re.compile(r"[A-Z]\w*|.*\[.*|str|int|float|bool|none|nullable")


def _is_union_tag(part: str | int) -> bool:
    """pydantic puts the name of the tried member of a union into the path; no platform's field is named so."""
    return isinstance(part, str) and _UNION_TAG.fullmatch(part) is not None


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object a body is. For looking at what an envelope is; money and ids are never read from it."""
    if len(body) > 8 * MAX_PAYLOAD_BYTES:
        refuse("too-large", "", "is too large", "内容过大")
    try:
        value = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        refuse("broken-json", "", "is not valid JSON", "不是合法的 JSON")
    if not isinstance(value, dict):
        refuse("not-an-order", "", "is not a JSON object", "不是 JSON 对象")
    return value


_decoder = json.JSONDecoder()
_space = re.compile(r"[ \t\n\r]*")


def slice_value(body: bytes, *path: str) -> bytes | None:
    """The untouched bytes of the value at `path`, None when there is none. Raises UnreadablePayload on broken JSON."""
    text = _text(body)
    span = _find(text, path)
    return None if span is None else text[span[0] : span[1]].encode()


def slice_array(body: bytes, *path: str) -> list[bytes]:
    """The untouched bytes of each element of the array at `path`.

    Platforms are loose about lists: missing, null and `{}` are an empty list, a single object is a list of one.
    """
    text = _text(body)
    span = _find(text, path)
    if span is None:
        return []
    start, end = span
    if text[start] != "[":
        bare = text[start:end]
        return [] if bare == "null" or not bare.strip("{} \t\n\r") else [bare.encode()]
    return [text[a:b].encode() for a, b in _elements(text, start)]


def _text(body: bytes) -> str:
    if len(body) > 8 * MAX_PAYLOAD_BYTES:
        refuse("too-large", "", "is too large", "内容过大")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("broken-json", "", "is not UTF-8 text", "不是 UTF-8 文本")


def _find(text: str, path: Sequence[str]) -> tuple[int, int] | None:
    """Where the value at `path` begins and ends."""
    position = _skip(text, 0)
    try:
        for name in path:
            found = _member(text, position, name)
            if found is None:
                return None
            position = found
        return position, _decoder.raw_decode(text, position)[1]
    except (JSONDecodeError, IndexError, RecursionError):
        refuse("broken-json", ".".join(path), "is not valid JSON", "不是合法的 JSON")


def _member(text: str, position: int, name: str) -> int | None:
    """Where the value of member `name` of the object at `position` begins; None when it is absent or no object."""
    if text[position] != "{":
        return None
    position = _skip(text, position + 1)
    while text[position] != "}":
        key, position = _decoder.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] != ":":
            raise JSONDecodeError("expected ':'", text, position)
        position = _skip(text, position + 1)
        if key == name:
            return position
        position = _next(text, _decoder.raw_decode(text, position)[1], "}")
    return None


def _elements(text: str, position: int) -> list[tuple[int, int]]:
    spans = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        end = _decoder.raw_decode(text, position)[1]
        spans.append((position, end))
        position = _next(text, end, "]")
    return spans


def _next(text: str, position: int, closing: str) -> int:
    """Past the comma after a value, or at the closing bracket."""
    position = _skip(text, position)
    if text[position] == ",":
        return _skip(text, position + 1)
    if text[position] != closing:
        raise JSONDecodeError("expected ',' or a closing bracket", text, position)
    return position


def _skip(text: str, position: int) -> int:
    match = _space.match(text, position)
    return match.end() if match else position


# -- orders --------------------------------------------------------------------------------------------------------


def unidentified(payload: bytes) -> RawOrder:
    """A row of a page that does not say which order it is. It travels on under a made-up id, so that one bad row
    neither stops its page nor is lost: normalization refuses it by name.
    """
    return RawOrder(f"unidentified-{blake2b(payload, digest_size=8).hexdigest()}", None, payload)


def buyer_key(channel: str, shop_id: str, buyer: str) -> str:
    """A stable pseudonym of a buyer within one shop; "" when the platform names nobody."""
    if not buyer:
        return ""
    return blake2b(f"{channel}\0{shop_id}\0{buyer}".encode(), digest_size=12).hexdigest()


_TYPED = re.compile(r"\d{6}|@")


def mark(key: str, value: object) -> str:
    """What a shop's plugin or theme noted on an order or a line, as `key=value` for rules to match.

    Only a short token of a hidden key (leading underscore: buyers neither see nor type it) keeps its value; of all
    others only the key remains, because buyers type names and phones into them, and marks are seen in logs.
    """
    if not (key.startswith("_") and isinstance(value, str | int)):
        return key
    text = str(value)
    if len(text) > 40 or not text or text.split() != [text] or _TYPED.search(text):
        return key
    return f"{key}={text}"


def sealed(order: Order) -> Order:
    """The order with its revision, once it keeps what every order promises. The last step of every mapping."""
    if not order.lines:
        refuse("no-lines", "lines", "has no lines", "订单没有商品行")
    if len(order.lines) > MAX_LINES:
        refuse("too-many-lines", "lines", f"has more than {MAX_LINES} lines", f"商品行超过 {MAX_LINES} 行")
    seen: set[str] = set()
    for line in order.lines:
        if line.quantity < 0:
            refuse("bad-quantity", f"lines.{len(seen)}.quantity", "is negative", "数量为负数")
        if line.line_id in seen:
            refuse("duplicate-line", f"lines.{len(seen)}.line_id", "stands twice", "商品行编号重复")
        seen.add(line.line_id)
    try:
        # Building ends here, so this is no change of a finished value; `replace` would cost a tenth of the mapping.
        order.revision = revision_of(order)  # type: ignore[misc]
    except (orjson.JSONEncodeError, OverflowError):
        refuse("unwritable", "", "holds a number or a text that cannot be written", "含有无法写出的数字或文本")
    return order
