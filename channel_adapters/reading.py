"""Reading wire data: money, times, words, and what every order promises. The one vocabulary of all mappings.

Every function raises UnreadablePayload with the path of the field at fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NoReturn, TypeVar

import orjson
from pydantic import BaseModel

from channel_adapters.contract import UnreadablePayload
from channel_adapters.envelope import deleted_id as deleted_id  # what clients look for here
from channel_adapters.envelope import read_object as read_object  # what clients look for here
from channel_adapters.envelope import unidentified as unidentified
from channel_adapters.fields import small_number
from channel_adapters.limits import MAX_PAYLOAD_BYTES as MAX_PAYLOAD_BYTES
from channel_adapters.model_reading import read_model as read_model
from channel_adapters.refusal import hint as hint
from channel_adapters.refusal import reject as reject
from channel_adapters.shop import Shop
from schemas.codes import HoldCode, PayloadProblem
from schemas.ids import order_uid
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Privacy,
    ShipTo,
    Source,
    Totals,
)
from schemas.record import changed
from schemas.revision import revision_of

MAX_LINES: Final = 2000

_AHEAD: Final = timedelta(hours=8)
BEIJING: Final = timezone(_AHEAD)

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E")

_YUAN = re.compile(r"(-?)(\d{1,13})(?:\.(\d*))?", re.ASCII)
_SCIENTIFIC = re.compile(r"-?\d{1,20}(?:\.\d{1,30})?[eE][+-]?\d{1,2}", re.ASCII)
_MOST_MINOR: Final = 10**16
_PLAIN_LENGTH: Final = 13  # of an amount that is surely below the limit
_FIRST_MILLISECOND: Final = 10**11  # as seconds it is the year 5138, as milliseconds 1973
_NEVER = ("", "0001-01-01", "0000-00-00", "1970-01-01")


# -- money ---------------------------------------------------------------------------------------------------------


def minor_units(
    value: str | float, where: str, *, digits: int = 2, negative: bool = False, rounding: bool = False
) -> int:
    """An amount in major units, as text or JSON number, in minor units: "12.30" -> 1230. Exact: no float arithmetic.

    More decimals than the currency has are refused unless they are zeros, or with `rounding` rounded half up: in a
    self-built mall they are a setting of the shop. A JSON number arrives as the shortest text that means it, which is
    what the platform wrote; `1.794E2` is an amount, too.
    """
    text = value if type(value) is str else repr(value)
    if len(text) <= _PLAIN_LENGTH and (amount := _plainly(text, digits)) is not None:
        return amount
    return _slowly(text.strip(), where, digits, negative, rounding)


@lru_cache(8192)  # prices, postages and "0.00" come again and again; short texts only, so it stays small
def _plainly(text: str, digits: int) -> int | None:
    """Nearly every amount, in half the time of the pattern; None for what needs a closer look."""
    whole, _, part = text.partition(".")
    if len(part) < digits:
        part = part.ljust(digits, "0")
    plain = whole + part
    if whole and len(part) == digits and plain.isdecimal() and plain.isascii():
        return int(plain)
    return None


def _slowly(text: str, where: str, digits: int, negative: bool, rounding: bool) -> int:
    if _YUAN.fullmatch(text) is None and _SCIENTIFIC.fullmatch(text) is None:
        reject("bad-money", where, PayloadProblem.NOT_MONEY())
    exact = Decimal(text).scaleb(digits)
    amount = int(exact.to_integral_value(ROUND_HALF_UP))
    if abs(amount) >= _MOST_MINOR:
        reject("bad-money", where, PayloadProblem.NOT_MONEY())
    if amount != exact and not rounding:
        reject("bad-money", where, PayloadProblem.DECIMALS_OVER(digits=digits))
    if amount < 0 and not negative:
        reject("bad-money", where, PayloadProblem.NEGATIVE_AMOUNT())
    return amount


_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_OTHER_DIGITS: Final = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)


def currency_digits(code: str, where: str) -> int:
    """How many decimals a currency has (ISO 4217): JPY 0, KWD 3, nearly all others 2."""
    if len(code) != 3 or not (code.isascii() and code.isupper()):
        reject("bad-currency", where, PayloadProblem.NOT_A_CURRENCY())
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


def beijing_time(text: str | int | None, where: str) -> datetime | None:
    """`yyyy-MM-dd HH:mm:ss` in Beijing, or unix time, as UTC. None when it has not happened: missing, "", year 1, 0."""
    try:
        return _from_beijing(text)
    except (ValueError, OverflowError, OSError, TypeError):
        reject("bad-time", where, PayloadProblem.NOT_A_LOCAL_TIME())


@lru_cache(4096)  # times are told to the second, and in the worst minute a thousand orders share one
def _from_beijing(text: str | int | None) -> datetime | None:
    if type(text) is not str:
        return _from_number(text)
    if text[:10] in _NEVER:
        return None
    try:
        return datetime.fromisoformat(text + "Z") - _AHEAD  # a fifth of what going through a time zone costs
    except (ValueError, OverflowError):
        text = text.strip()  # and then: a time with its own offset, a date alone, unix time, or no time at all
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) in (10, 13):
        return _from_unix(int(text))
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)


def _from_number(number: object) -> datetime | None:
    if number is None or number == 0:
        return None
    if type(number) is not int:
        raise TypeError
    return _from_unix(number)


def unix_time(seconds: int | None, where: str) -> datetime | None:
    """Unix seconds, or milliseconds, as UTC. None when it has not happened: missing or 0."""
    if not seconds:
        return None
    try:
        return _from_unix(seconds)
    except (ValueError, OverflowError, OSError):
        reject("bad-time", where, PayloadProblem.NOT_UNIX_SECONDS())


@lru_cache(4096)
def _from_unix(number: int) -> datetime:
    if number < _FIRST_MILLISECOND:
        return datetime.fromtimestamp(number, UTC)
    return datetime.fromtimestamp(number // 1000, UTC) + timedelta(milliseconds=number % 1000)


def iso_time(text: str | None, where: str, *, assume_utc: bool = False) -> datetime | None:
    """ISO 8601 as UTC. Without an offset it is refused, unless the field is documented to be UTC (`assume_utc`)."""
    if not text:
        return None
    try:
        moment = _from_iso(text, assume_utc)
    except (ValueError, OverflowError):
        reject("bad-time", where, PayloadProblem.NOT_ISO_TIME())
    if moment.tzinfo is None:
        reject("bad-time", where, PayloadProblem.NO_TIME_ZONE())
    return moment


@lru_cache(4096)
def _from_iso(text: str, assume_utc: bool) -> datetime:
    """In UTC where it has an offset or is said to be in UTC, else as it stands."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return moment.replace(tzinfo=UTC) if assume_utc else moment


def required(value: E | None, where: str) -> E:
    """`value`, refused when it is missing."""
    if value is None:
        reject("missing-field", where, PayloadProblem.FIELD_MISSING())
    return value


# -- orders --------------------------------------------------------------------------------------------------------


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


# -- what was not understood ---------------------------------------------------------------------------------------

_LOOKS_LIKE_A_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,40}", re.ASCII)
_FIELD = re.compile(r"\.\d+(?=\.|$)")
_PAST = (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
_UNKNOWN: Final = "?="


def word_shown(word: object) -> str:
    """A platform's word as it may be told; "" for what does not look like one: it may be somebody's name or phone."""
    text = str(word).strip()
    return text if _LOOKS_LIKE_A_WORD.fullmatch(text) and not _TYPED.search(text) else ""


class Reading:
    """One order on its way from bytes to our model: whose it is, and what about it was not understood.

    An unknown word does not refuse an order: that would leave the warehouse with what it was told before. The order is
    read as far as it is known and put on hold, unless it is cancelled or gone already: see `with_revision`.
    """

    __slots__ = ("holds", "marks", "meant", "shop", "shop_id", "template")

    def __init__(self, shop: Shop, template: str) -> None:
        self.shop = shop
        self.shop_id: str = shop.shop_id
        self.template = template
        self.marks: dict[str, None] = {}  # in the order in which they were found
        self.holds: dict[HoldCode, None] = {}
        self.meant: list[OrderStatus] = []  # what the shop's own table says of words that ours do not know

    def model(self, model: type[M], payload: bytes) -> M:
        """What the bytes say; decoration that is odd is left out and marked. See read_model."""
        return read_model(model, payload, self.odd)

    def status(self, table: Mapping[Any, E], word: Any, where: str, unknown: E, meaning: Mapping[OrderStatus, E]) -> E:
        """What the platform's word for where an order stands means. The shop's `status_words` are asked first.

        `meaning` says what a status of ours is in the table's terms (for a table of OrderStatus: `AS_IT_IS`).
        `unknown` is what an unknown word is taken for until a person has looked.
        """
        if self.shop.policy.status_words and (told := self._told(word, where)) is not None:
            self.meant.append(told)
            return meaning.get(told, unknown)
        return self.lookup(table, word, where, unknown)

    def lookup(self, table: Mapping[Any, E], word: Any, where: str, unknown: E) -> E:
        """What a platform's word means. An unknown one holds the order, and is taken for `unknown`.

        Where it stands in the shop's `status_words`, that decides instead.
        """
        try:
            return table[word]
        except KeyError:
            return self._unknown(table, word, where, unknown)

    def of_part(self, table: Mapping[Any, E], word: Any, where: str, unknown: E, meaning: Mapping[OrderStatus, E]) -> E:
        """What a word about a part of the order (a line, a parcel) means: `status` for that part alone.

        So a shop's word that cancels does not cancel the lines beside it.
        """
        if self.shop.policy.status_words and (told := self._told(word, where)) is not None:
            if told is OrderStatus.ON_HOLD:
                self.hold(HoldCode.PLATFORM_HOLD)
            return meaning.get(told, unknown)
        return self.lookup(table, word, where, unknown)

    def _unknown(self, table: Mapping[Any, E], word: Any, where: str, unknown: E) -> E:
        text = str(word).strip()
        for known in (text, small_number(text)):
            if known is not None and known in table:  # text for a number, a number for text, blanks round it
                return table[known]
        if (told := self._told(text, where)) is not None:
            self.meant.append(told)
            return unknown
        self.marks[f"{_FIELD.sub('', where)}{_UNKNOWN}{word_shown(word)}"] = None
        self.holds[HoldCode.UNKNOWN_STATUS] = None
        return unknown

    def _told(self, word: Any, where: str) -> OrderStatus | None:
        return self.shop.policy.meaning_of(word, _FIELD.sub("", where))

    def odd(self, field: str) -> None:
        """Decoration that could not be read was left out."""
        self.marks[f"odd={field}"] = None

    def was_odd(self, field: str) -> bool:
        """Whether this field was left out."""
        return bool(self.marks) and f"odd={field}" in self.marks

    def hold(self, code: HoldCode) -> None:
        """Do not ship before a person has looked, for this reason."""
        self.holds[code] = None

    def distinct(self, rows: Sequence[E], id_of: Callable[[E], str]) -> list[tuple[str, E]]:
        """The rows with ids that are told apart: identical repeats collapse, others of one id get `#2`, `#3` ..."""
        if len(rows) == 1:
            return [(id_of(rows[0]), rows[0])]
        ids = [id_of(row) for row in rows]
        if len(set(ids)) == len(ids):
            return list(zip(ids, rows, strict=True))
        found: list[tuple[str, E]] = []
        seen: dict[str, list[E]] = {}
        for line_id, row in zip(ids, rows, strict=True):
            same = seen.get(line_id)
            if same is None:
                seen[line_id] = [row]
                found.append((line_id, row))
                continue
            self.marks["repeated-line"] = None
            if row not in same:
                same.append(row)
                found.append((f"{line_id}#{len(same)}", row))
        return found

    def optional_money(self, value: str | float | None, where: str, *, digits: int = 2, negative: bool = False) -> int:
        """An amount that decides nothing: 0 when it is missing, and 0 with a mark when it is odd."""
        if not value or value == "0.00":  # most are none, and this is asked several times an order
            return 0
        try:
            return minor_units(value, where, digits=digits, negative=negative, rounding=True)
        except UnreadablePayload:
            self.odd(_FIELD.sub("", where))
            return 0

    def optional_time(self, read: Callable[[Any, str], datetime | None], value: Any, where: str) -> datetime | None:
        """A time that decides nothing: None with a mark when it is odd."""
        try:
            return read(value, where)
        except UnreadablePayload:
            self.odd(_FIELD.sub("", where))
            return None

    def check_total(self, told: int, worth: int, lines: int) -> None:
        """Mark the order when what the platform tells and what its lines are worth differ by more than a minor unit a
        line. It is a mark and no hold: gift cards and foreign rounding do it, too. Tagging makes a flag of it.
        """
        if abs(told - worth) > lines:
            self.marks[HoldCode.TOTALS_CONTRADICT] = None


AS_IT_IS: Final[Mapping[OrderStatus, OrderStatus]] = {status: status for status in OrderStatus}


def unknown_words(order: Order) -> list[tuple[str, str]]:
    """Field and word of each word of a platform that was not known, of an order that is held for it."""
    if HoldCode.UNKNOWN_STATUS not in order.holds:
        return []
    parted = (mark.partition(_UNKNOWN) for mark in order.marks if _UNKNOWN in mark)
    return [(name, word) for name, _, word in parted]


# -- the end of every mapping --------------------------------------------------------------------------------------


def with_revision(order: Order, reading: Reading) -> Order:
    """The order with its revision, once it keeps what every order promises. The last step of every mapping.

    An order whose list of lines is empty is no mistake: it stops what a warehouse holds of it. A list that is missing
    is one: the mapping refuses it.
    """
    if reading.marks or reading.holds or reading.meant:
        order = _as_understood(order, reading)
    if len(order.lines) > MAX_LINES:
        reject("too-many-lines", "lines", PayloadProblem.LINES_OVER(most=MAX_LINES))
    if len({line.line_id for line in order.lines if line.quantity >= 0}) != len(order.lines):
        _reject_lines(order.lines)
    try:
        # Building ends here, so this is no change of a finished value; `replace` would cost a tenth of the mapping.
        order.revision = revision_of(order)  # type: ignore[misc]
    except (orjson.JSONEncodeError, OverflowError):
        reject("unwritable", "", PayloadProblem.CANNOT_BE_WRITTEN())
    return order


def _reject_lines(lines: Sequence[Line]) -> NoReturn:
    """Name the first line that is wrong."""
    seen: set[str] = set()
    for line in lines:
        if line.quantity < 0:
            break
        if line.line_id in seen:
            reject("duplicate-line", f"lines.{len(seen)}.line_id", PayloadProblem.LINE_TWICE())
        seen.add(line.line_id)
    reject("bad-quantity", f"lines.{len(seen)}.quantity", PayloadProblem.NEGATIVE_QUANTITY())


def _as_understood(order: Order, reading: Reading) -> Order:
    """With the marks of what was not understood; on hold for it, unless the order is cancelled or gone already."""
    marks = tuple(dict.fromkeys((*order.marks, *reading.marks)))
    if OrderStatus.CANCELLED in reading.meant and order.status is not OrderStatus.CANCELLED:
        lines = given_up(order.lines)
        return changed(order, status=OrderStatus.CANCELLED, lines=lines, marks=marks, holds=())
    if order.status in _PAST:
        return changed(order, marks=marks, lines=_gone(order.lines) if reading.meant else order.lines)
    if "repeated-line" in reading.marks and not _adds_up(order):
        reading.hold(HoldCode.DUPLICATE_LINES)
    holds = tuple(dict.fromkeys((*order.holds, *reading.holds)))
    status = OrderStatus.ON_HOLD if holds else order.status
    if reading.meant and not holds:
        status, holds = _as_meant(order, reading.meant)
    lines = _gone(order.lines) if status in _PAST else order.lines
    return changed(order, status=status, lines=lines, marks=marks, holds=holds)


def _as_meant(order: Order, meant: Sequence[OrderStatus]) -> tuple[OrderStatus, tuple[str, ...]]:
    """What the shop's own words make of the order, and why it is held. What stops goes before what goes on."""
    if OrderStatus.ON_HOLD in meant:
        return OrderStatus.ON_HOLD, (HoldCode.PLATFORM_HOLD,)
    if OrderStatus.AWAITING_PAYMENT in meant and order.status is not OrderStatus.AWAITING_PAYMENT:
        return OrderStatus.ON_HOLD, (HoldCode.ON_HOLD,)  # all else says that it is paid
    if OrderStatus.PART_SHIPPED in meant and not any(line.status is LineStatus.SHIPPED for line in order.lines):
        return OrderStatus.ON_HOLD, (HoldCode.LINE_PART_SHIPPED,)
    gone = [told for told in meant if told in _PAST]
    if gone:
        return gone[-1], ()
    return (meant[0] if order.status is OrderStatus.ON_HOLD else order.status), ()  # only our tables do not know it


def _gone(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of an order of which the shop's own word says that it has left."""
    opened = LineStatus.OPEN
    return tuple([changed(line, status=LineStatus.SHIPPED) if line.status is opened else line for line in lines])


def without_orphans(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines; a gift is not shipped when every line that it comes with is cancelled."""
    gone = {line.line_id for line in lines if line.status is LineStatus.CANCELLED}
    if not gone:
        return lines
    known = {line.line_id for line in lines}
    return tuple([_given_up(line) if _is_orphan(line, known, gone) else line for line in lines])


def _is_orphan(gift: Line, known: set[str], gone: set[str]) -> bool:
    mains = known.intersection(gift.bound_to)
    return gift.kind is LineKind.GIFT and bool(mains) and mains <= gone


def given_up(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of an order that is cancelled: what has not left never will."""
    return tuple([_given_up(line) for line in lines])


def _given_up(line: Line) -> Line:
    if line.status is not LineStatus.OPEN:
        return line
    return changed(line, status=LineStatus.CANCELLED, quantity=0)


def _adds_up(order: Order) -> bool:
    """Whether the lines make up the goods of the totals, give or take a minor unit a line."""
    worth = sum(line.unit_price * line.quantity for line in order.lines)
    return abs(worth - order.totals.goods) <= sum(line.quantity for line in order.lines)


def cancelled(channel: str, shop_id: str, order_id: str, at: datetime, template: str, placed_at: datetime) -> Order:
    """An order of which no more is known than that it is cancelled, or gone from its platform, as of `at`."""
    return with_revision(
        Order(
            uid=order_uid(channel, shop_id, order_id),
            channel=channel,
            shop_id=shop_id,
            platform_order_id=order_id,
            revision="",
            modified_at=at,
            placed_at=placed_at,
            status=OrderStatus.CANCELLED,
            payment=PaymentStatus.UNPAID,
            lines=(),
            ship_to=ShipTo(privacy=Privacy.MISSING),
            totals=Totals(goods=0, discount=0, postage=0, paid=0),
            source=Source(template=template),
        ),
        Reading(Shop(shop_id), template),
    )
