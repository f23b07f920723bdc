"""The contract kit: what every channel must keep. A channel's test_contract.py subclasses it and fills in the facts.

    class TestAcmeContract(ChannelAdapterContract):
        channel = "acme"                                  # its row in channel_adapters.registry
        payloads = Path(__file__).parent / "payloads"
        orders_in = {"01_paid.json": 1, "02_list.json": 3}         # every recorded payload that holds orders
        refused = {"09_error.json": ChannelRefused}                # every other one, and what it raises
        # each word that decides whether goods may go, in the reference order or in another recorded payload
        status_paths = [("status",), ("05_refund.json", ("lines", 0, "refund_status"))]
        cancelled = Cancelled("07_cancelled.json", [("lines",), ("total",)])  # what does not matter any more there
        decoration = [("meta_data",), ("lines", 0, "properties")]  # what may be anything
        text_or_number = [("id",), ("lines", 0, "num")]   # what may be either
        page = "02_list.json"                             # a page of several orders
        lists = [("lines",)]                              # where a bomb of a million rows may stand
        amount = Forms(("paid",), {"12.3": 1230, "0.10": 10})       # how the wire spells what totals.paid is
        moment = Forms(("created",), {"2026-09-20 10:00:01": datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)})  # placed_at
        bad_amounts = ("1.234", "abc", None)
        shop = ShopSettings(...)                          # with secrets that no error and no log may hold
        signed = SignedRequest(headers={...}, body=b"...", secret="...")  # None: the channel signs no webhook
        signed_form = SignedRequest(...)  # where a body that is a form is signed otherwise than by its bytes

Paths lead from the order object (not the envelope) to the value. The reference order is the first one of `reference`.
"""

from __future__ import annotations

import gzip
import json
import logging
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from channel_adapters.contract import (
    ChannelAdapter,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ForgedRequest,
    RawOrder,
    UnreadablePayload,
    Window,
)
from channel_adapters.parsing import read_order
from channel_adapters.reading import unknown_words
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop, ShopPolicy, ShopSettings
from schemas.codes import HoldCode
from schemas.ids import order_uid
from schemas.order import LineStatus, Order, OrderStatus
from schemas.record import decode, encode
from schemas.revision import revision_of

V = TypeVar("V")
JsonPath = tuple[str | int, ...]

NOW = datetime(2026, 9, 20, 4, 0, 0, tzinfo=UTC)
WINDOW = Window(start=NOW - timedelta(minutes=20), end=NOW - timedelta(minutes=10))
SHOP_ID = "contract-shop"


@dataclass(frozen=True)
class Forms(Generic[V]):
    """Where a value stands in the order object, and what each way to write it means."""

    path: JsonPath
    meanings: Mapping[Any, V]


@dataclass(frozen=True)
class SignedRequest:
    """A webhook as the platform would send it, with the secret that signed it."""

    headers: Mapping[str, str]
    body: bytes
    secret: str


@dataclass(frozen=True)
class Cancelled:
    """A recorded order that is cancelled, and places in it that do not matter any more."""

    reference: str
    unreadable: Sequence[JsonPath]
    row: int = 0  # which of the payload's orders


ODD_DECORATION: tuple[Any, ...] = (None, {}, [], [{}], [[]], [None], {"x": 1}, "", 7, "x" * 50, [7], True)


ODD_AFTER_THE_END: tuple[Any, ...] = ("?", [[]], {"x": 1}, -7)


def _placed(path: JsonPath | tuple[str, JsonPath], reference: str) -> tuple[str, JsonPath]:
    """A status path with the recorded payload that it is about: `(file, path)`, or a path of the reference order."""
    if len(path) == 2 and isinstance(path[1], tuple):
        return str(path[0]), path[1]
    return reference, path


def code_of(function: Callable[..., Any], *arguments: Any) -> str:
    """The code of the refusal that a call raises."""
    with pytest.raises(UnreadablePayload) as caught:
        function(*arguments)
    return caught.value.code


# -- helpers, also for a channel's own tests -----------------------------------------------------------------------


def value_at(payload: bytes, path: JsonPath) -> Any:
    """What stands at `path` in a JSON text."""
    value = json.loads(payload)
    for step in path:
        value = value[step]
    return value


def with_value(payload: bytes, path: JsonPath, value: Any) -> bytes:
    """The JSON text with the value at `path` replaced (or added to its object)."""
    root = json.loads(payload)
    holder = root
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return json.dumps(root, ensure_ascii=False).encode()


def without(payload: bytes, path: JsonPath) -> bytes:
    """The JSON text without the value at `path`."""
    root = json.loads(payload)
    holder = root
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return json.dumps(root, ensure_ascii=False).encode()


def read(adapter: ChannelAdapter, payload: bytes, shop_id: str = SHOP_ID) -> Order:
    """What normalization makes of an order object: the first template that fits. Raises the main one's refusal."""
    refusal: UnreadablePayload | None = None
    for template in adapter.templates:
        try:
            return template.read(payload, Shop(shop_id))
        except UnreadablePayload as error:
            refusal = refusal or error
    assert refusal is not None, "a channel has at least one template"
    raise refusal


def answering(response: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """A platform that gives the same answer to all."""
    return lambda request: httpx.Response(response.status_code, headers=response.headers, content=response.content)


def failing(error: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    """A platform that cannot be reached."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error("no answer", request=request)

    return handler


def _paths(value: Any, path: JsonPath = ()) -> Iterator[JsonPath]:
    if path:
        yield path
    members: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for step, member in members:
        yield from _paths(member, (*path, step))


def _moments(value: object) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple):
        for member in value:
            yield from _moments(member)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _moments(getattr(value, each.name))


def _personal(order: Order) -> set[str]:
    """The words of an order that nobody may see who reads a log."""
    to = order.ship_to
    words = {to.name, to.phone, to.street, to.town, to.token, to.receiver_key, order.buyer_remark, order.seller_memo}
    return {word for word in words if len(word) > 1} - {order.platform_order_id}  # some decrypt by the order's number


ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 7, 2**70, 1e308, 0.1, "", " ", "x", "-1", "1.234", "9" * 400, "\u0000", "1;2", [], {}, [None],
    [[]], [{}], {"x": 1}, [1, 2], "2026-13-45 99:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, payload: bytes) -> bytes:
    """A JSON text with one to four of its values replaced or taken out."""
    for _ in range(draw(st.integers(1, 4))):
        paths = list(_paths(json.loads(payload)))
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        if draw(st.booleans()):
            payload = without(payload, path)
        else:
            payload = with_value(payload, path, draw(st.sampled_from(ODD_VALUES)))
    return payload


# -- the kit -------------------------------------------------------------------------------------------------------


class ChannelAdapterContract:
    """What each channel must keep. See the module docstring for how to fill it in."""

    channel: ClassVar[str]
    payloads: ClassVar[Path]
    orders_in: ClassVar[Mapping[str, int]]
    refused: ClassVar[Mapping[str, type[ChannelError]]]
    reference: ClassVar[str] = "01_simple_paid.json"
    status_paths: ClassVar[Sequence[JsonPath | tuple[str, JsonPath]]]
    amount: ClassVar[Forms[int]]
    moment: ClassVar[Forms[datetime]]
    bad_amounts: ClassVar[Sequence[Any]]
    shop: ClassVar[ShopSettings]
    signed: ClassVar[SignedRequest | None] = None
    signed_form: ClassVar[SignedRequest | None] = None
    cancelled: ClassVar[Cancelled | None] = None
    decoration: ClassVar[Sequence[JsonPath]] = ()
    text_or_number: ClassVar[Sequence[JsonPath]] = ()
    page: ClassVar[str | None] = None
    lists: ClassVar[Sequence[JsonPath]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per recorded payload, per status word, per way to write an amount or a time."""
        tables: dict[str, Sequence[Any]] = {
            "order_file": list(self.orders_in),
            "refused_file": list(self.refused),
            "status_path": self.status_paths,
            "amount_form": list(self.amount.meanings.items()),
            "bad_amount": self.bad_amounts,
            "moment_form": list(self.moment.meanings.items()),
            "decoration": self.decoration,
            "either": self.text_or_number,
        }
        for name, rows in tables.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, rows, ids=repr)

    # -- facts

    @pytest.fixture
    def adapter(self) -> ChannelAdapter:
        return CHANNELS[self.channel].adapter

    def body(self, name: str) -> bytes:
        return (self.payloads / name).read_bytes()

    def raw(self, name: str) -> Sequence[RawOrder]:
        return CHANNELS[self.channel].adapter.open_envelope(self.body(name))

    def reference_order(self) -> bytes:
        return self.raw(self.reference)[0].payload

    def secrets(self) -> list[str]:
        held = (self.shop.app_secret, self.shop.access_token, self.shop.webhook_secret)
        found = [secret.get_secret_value() for secret in held if secret.get_secret_value()]
        assert found, "give the shop settings secrets, or this kit cannot see them leak"
        return found

    def told_in_both_languages(self, error: ChannelError) -> None:
        assert error.text.en
        assert error.text.zh

    # -- the registry row

    def test_the_channel_is_in_the_registry_under_its_own_name(self, adapter: ChannelAdapter) -> None:
        row = CHANNELS[self.channel]
        assert row.name == self.channel == adapter.channel
        assert row.title.en
        assert row.title.zh

    def test_templates_have_distinct_names(self, adapter: ChannelAdapter) -> None:
        names = [template.name for template in adapter.templates]
        assert names
        assert len(set(names)) == len(names)

    def test_every_recorded_payload_is_in_the_tables(self) -> None:
        assert sorted(path.name for path in self.payloads.iterdir()) == sorted({*self.orders_in, *self.refused})

    # -- recorded payloads

    def test_a_recorded_payload_parses(self, adapter: ChannelAdapter, order_file: str) -> None:
        raw_orders = self.raw(order_file)
        assert len(raw_orders) == self.orders_in[order_file]
        for raw in raw_orders:
            order = read(adapter, raw.payload)
            assert order.channel == self.channel
            assert order.shop_id == SHOP_ID
            assert order.platform_order_id == raw.platform_order_id
            assert order.uid == order_uid(self.channel, SHOP_ID, raw.platform_order_id)
            assert order.source.template in {template.name for template in adapter.templates}
            assert raw.modified_at in (None, order.modified_at)
            assert decode(Order, encode(order)) == order

    def test_the_money_of_an_order_adds_up(self, adapter: ChannelAdapter, order_file: str) -> None:
        for raw in self.raw(order_file):
            order = read(adapter, raw.payload)
            money = order.totals
            assert money.paid == money.goods - money.discount + money.postage + money.other
            assert all(line.paid >= 0 and line.unit_price >= 0 for line in order.lines)

    def test_all_times_are_in_utc(self, adapter: ChannelAdapter, order_file: str) -> None:
        for raw in self.raw(order_file):
            order = read(adapter, raw.payload)
            assert raw.modified_at is None or raw.modified_at.tzinfo is UTC
            assert {moment.tzinfo for moment in _moments(order)} == {UTC}

    def test_a_cancelled_line_wants_nothing(self, adapter: ChannelAdapter, order_file: str) -> None:
        for raw in self.raw(order_file):
            for line in read(adapter, raw.payload).lines:
                assert (line.quantity == 0) == (line.status is LineStatus.CANCELLED)

    def test_the_envelope_leaves_the_bytes_untouched(self, adapter: ChannelAdapter, order_file: str) -> None:
        body = self.body(order_file)
        for raw in self.raw(order_file):
            assert raw.payload in body
            assert adapter.open_envelope(raw.payload) == [raw], "one bare order object is a legal body, too"

    def test_odd_white_space_and_escapes_stay_as_they_are(self, adapter: ChannelAdapter, order_file: str) -> None:
        odd = json.dumps(json.loads(self.body(order_file)), indent="\t", separators=(" ,\r\n", "\t: ")).encode()
        for raw in adapter.open_envelope(odd):
            assert raw.payload in odd

    def test_personal_data_stays_out_of_repr(self, adapter: ChannelAdapter, order_file: str) -> None:
        for raw in self.raw(order_file):
            order = read(adapter, raw.payload)
            assert not [word for word in _personal(order) if word in repr(order)]

    def test_a_body_without_orders_is_refused_by_name(self, adapter: ChannelAdapter, refused_file: str) -> None:
        with pytest.raises(self.refused[refused_file]) as caught:
            adapter.open_envelope(self.body(refused_file))
        self.told_in_both_languages(caught.value)

    @pytest.mark.parametrize("body", [b"", b"{", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b'{"a":' * 5000])
    def test_a_body_that_is_no_order_is_refused(self, adapter: ChannelAdapter, body: bytes) -> None:
        with pytest.raises(UnreadablePayload):
            adapter.open_envelope(body)
        for template in adapter.templates:
            with pytest.raises(UnreadablePayload):
                template.read(body, Shop(SHOP_ID))

    # -- revisions

    def test_reading_again_gives_the_same_order(self, adapter: ChannelAdapter, order_file: str) -> None:
        for raw in self.raw(order_file):
            first = read(adapter, raw.payload)
            assert first == read(adapter, raw.payload)
            assert first.revision == revision_of(first)

    def test_a_changed_order_has_another_revision(self, adapter: ChannelAdapter) -> None:
        payload = self.reference_order()
        changed = {wire: with_value(payload, self.amount.path, wire) for wire in self.amount.meanings}
        revisions = {read(adapter, each).totals.paid: read(adapter, each).revision for each in changed.values()}
        assert len(set(revisions.values())) == len(revisions)

    # -- unknown words and fields

    def test_unknown_fields_change_nothing(self, adapter: ChannelAdapter) -> None:
        payload = self.reference_order()
        grown = with_value(payload, ("a_field_of_next_year",), {"deep": [1, "二", None]})
        assert b"a_field_of_next_year" in adapter.open_envelope(grown)[0].payload
        assert read(adapter, grown) == read(adapter, payload)

    def strange(self, reference: str, path: JsonPath) -> tuple[bytes, str]:
        """The reference order with a word of next year at this place, and the word."""
        payload = self.raw(reference)[0].payload
        try:
            number = isinstance(value_at(payload, path), int)
        except (KeyError, IndexError):
            number = False
        word: Any = 98765 if number else "NO_SUCH_WORD"
        return with_value(payload, path, word), str(word)

    def test_an_unknown_word_holds_the_order(
        self, adapter: ChannelAdapter, status_path: JsonPath | tuple[str, JsonPath]
    ) -> None:
        """It must stop what a warehouse was told of an older state, and keep all else that is known."""
        reference, path = _placed(status_path, self.reference)
        strange, word = self.strange(reference, path)
        order = read(adapter, strange)
        known = read(adapter, self.raw(reference)[0].payload)
        assert order.status is OrderStatus.ON_HOLD
        assert HoldCode.UNKNOWN_STATUS in order.holds
        [(field, told)] = unknown_words(order)
        assert field.rpartition(".")[2] == path[-1]
        assert told == word
        assert (order.uid, order.modified_at, order.placed_at) == (known.uid, known.modified_at, known.placed_at)
        assert [line.line_id for line in order.lines] == [line.line_id for line in known.lines]

    def test_a_shop_can_say_what_a_word_means(
        self, adapter: ChannelAdapter, status_path: JsonPath | tuple[str, JsonPath]
    ) -> None:
        reference, path = _placed(status_path, self.reference)
        strange, word = self.strange(reference, path)
        of_part = any(isinstance(step, int) for step in path)  # of a line or a parcel: it may cancel that one alone
        for meaning in (OrderStatus.TO_SHIP, OrderStatus.CANCELLED):
            shop = Shop(SHOP_ID, ShopPolicy(status_words={word: meaning}))
            order = read_order(adapter, strange, shop)
            assert HoldCode.UNKNOWN_STATUS not in order.holds
            assert of_part or (order.status is OrderStatus.CANCELLED) == (meaning is OrderStatus.CANCELLED)
            assert order.status is not OrderStatus.ON_HOLD

    def test_what_a_shop_says_of_a_word_in_one_field_is_said_of_no_other(
        self, adapter: ChannelAdapter, status_path: JsonPath | tuple[str, JsonPath]
    ) -> None:
        """A small number means something in every field: `refund_status=3` is no word about `order_status`."""
        reference, path = _placed(status_path, self.reference)
        strange, word = self.strange(reference, path)
        elsewhere = Shop(SHOP_ID, ShopPolicy(status_words={f"another_field={word}": OrderStatus.TO_SHIP}))
        assert HoldCode.UNKNOWN_STATUS in read_order(adapter, strange, elsewhere).holds
        words = {f"{path[-1]}={word}": OrderStatus.TO_SHIP, word: OrderStatus.CANCELLED}
        here = read_order(adapter, strange, Shop(SHOP_ID, ShopPolicy(status_words=words)))
        assert HoldCode.UNKNOWN_STATUS not in here.holds
        assert here.status is not OrderStatus.CANCELLED

    @pytest.mark.parametrize("odd", [True, 1.5, ["x"], {"x": 1}], ids=str)
    def test_what_is_no_word_at_all_holds_the_order(
        self, adapter: ChannelAdapter, status_path: JsonPath | tuple[str, JsonPath], odd: Any
    ) -> None:
        reference, path = _placed(status_path, self.reference)
        order = read(adapter, with_value(self.raw(reference)[0].payload, path, odd))
        assert order.status is OrderStatus.ON_HOLD
        assert HoldCode.UNKNOWN_STATUS in order.holds

    @pytest.mark.parametrize("meaning", OrderStatus)
    def test_a_shop_is_taken_at_its_word(self, adapter: ChannelAdapter, meaning: OrderStatus) -> None:
        """Whatever the rest of the order says: what the shop says has left or waits is not shipped."""
        strange, word = self.strange(*_placed(self.status_paths[0], self.reference))
        order = read_order(adapter, strange, Shop(SHOP_ID, ShopPolicy(status_words={word: meaning})))
        to_ship = order.status in (OrderStatus.TO_SHIP, OrderStatus.PART_SHIPPED)
        assert to_ship == (meaning is OrderStatus.TO_SHIP)
        gone = meaning in (OrderStatus.SHIPPED, OrderStatus.COMPLETED, OrderStatus.CANCELLED)
        assert not gone or not [line for line in order.lines if line.status is LineStatus.OPEN]

    def test_a_word_that_may_be_a_name_or_a_phone_is_not_told(self, adapter: ChannelAdapter) -> None:
        reference, path = _placed(self.status_paths[0], self.reference)
        for private in ("张伟", "13800138000", "a@example.com", "Main Street 5"):
            order = read(adapter, with_value(self.raw(reference)[0].payload, path, private))
            assert order.holds == (HoldCode.UNKNOWN_STATUS,)
            assert private not in repr(order)

    def test_what_is_cancelled_is_cancelled_whatever_else_it_says(self, adapter: ChannelAdapter) -> None:
        """Its lines and totals do not matter any more."""
        if self.cancelled is None:
            return
        payload = self.raw(self.cancelled.reference)[self.cancelled.row].payload
        known = read(adapter, payload)
        assert known.status is OrderStatus.CANCELLED, "the reference of `cancelled` is no cancelled order"
        for path in self.cancelled.unreadable:
            for odd in ODD_AFTER_THE_END:
                order = read_order(adapter, with_value(payload, path, odd), Shop(SHOP_ID))
                assert order.status is OrderStatus.CANCELLED
                assert (order.uid, order.modified_at) == (known.uid, known.modified_at)

    def test_odd_decoration_is_left_out(self, adapter: ChannelAdapter, decoration: JsonPath) -> None:
        """What a plugin or a new release of the platform writes there is no reason not to ship."""
        payload = self.reference_order()
        known = read(adapter, payload)
        for odd in ODD_DECORATION:
            order = read(adapter, with_value(payload, decoration, odd))
            assert order.status is known.status
            assert [(line.sku, line.quantity) for line in order.lines] == [(x.sku, x.quantity) for x in known.lines]
            assert order.totals.paid == known.totals.paid

    def test_text_and_number_are_the_same(self, adapter: ChannelAdapter, either: JsonPath) -> None:
        payload = self.reference_order()
        value = value_at(payload, either)
        assert isinstance(value, int | str), "`text_or_number` names a place that is neither"
        other: Any = str(value) if isinstance(value, int) else int(value)
        swapped = with_value(payload, either, other)
        known, order = read(adapter, payload), read(adapter, swapped)
        assert replace(order, source=known.source) == known
        assert adapter.open_envelope(swapped)[0].platform_order_id == known.platform_order_id

    def test_one_row_that_nobody_can_read_leaves_its_page_alone(self, adapter: ChannelAdapter) -> None:
        """Its neighbours arrive; it goes on alone, under its own id where it says one."""
        if self.page is None:
            return
        body = self.body(self.page)
        good = adapter.open_envelope(body)
        first = good[0].payload
        for poison in (b"\\ud83d", b"\x01", "中文".encode("gbk")):
            bad = first.replace(b"{", b'{"note":"' + poison + b'",', 1)
            rows = adapter.open_envelope(body.replace(first, bad + b"," + first, 1))
            assert [row.payload for row in rows] == [bad, *(row.payload for row in good)]
            assert rows[0].platform_order_id == good[0].platform_order_id
            assert read(adapter, bad).uid == read(adapter, first).uid
        for broken in (b"NaN", b"9" * 5000, b"[" * 5000 + b"]" * 5000, b"01"):
            bad = first.replace(b"{", b'{"note":' + broken + b",", 1)
            rows = adapter.open_envelope(body.replace(first, bad + b"," + first, 1))
            assert [row.payload for row in rows] == [bad, *(row.payload for row in good)]
            assert rows[0].platform_order_id == good[0].platform_order_id

    def test_a_bomb_is_refused_by_name(self, adapter: ChannelAdapter) -> None:
        """A million empty rows in three megabytes."""
        bomb = b"{}," * 1_000_000 + b"{}"
        for path in self.lists:
            payload = with_value(self.reference_order(), path, ["BOMB"]).replace(b'"BOMB"', bomb)
            assert code_of(read, adapter, payload) == "too-many-elements"
        if not self.lists:
            return
        small = with_value(self.reference_order(), self.lists[0], ["BOMB"]).replace(b'"BOMB"', b"{}," * 80_000 + b"{}")
        assert code_of(read, adapter, small) in ("missing-field", "bad-field")

    # -- money and times

    def test_money_is_exact(self, adapter: ChannelAdapter, amount_form: tuple[Any, int]) -> None:
        wire, minor_units = amount_form
        order = read(adapter, with_value(self.reference_order(), self.amount.path, wire))
        assert order.totals.paid == minor_units
        assert type(order.totals.paid) is int

    def test_money_that_is_none_is_refused(self, adapter: ChannelAdapter, bad_amount: Any) -> None:
        with pytest.raises(UnreadablePayload) as caught:
            read(adapter, with_value(self.reference_order(), self.amount.path, bad_amount))
        assert str(self.amount.path[-1]) in caught.value.where

    def test_time_zones_are_exact(self, adapter: ChannelAdapter, moment_form: tuple[Any, datetime]) -> None:
        wire, moment = moment_form
        assert read(adapter, with_value(self.reference_order(), self.moment.path, wire)).placed_at == moment

    # -- damage

    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def test_a_damaged_payload_is_an_order_or_a_named_refusal(self, data: st.DataObject) -> None:
        adapter = CHANNELS[self.channel].adapter
        body = self.body(data.draw(st.sampled_from(sorted(self.orders_in))))
        broken = data.draw(damaged(body))
        try:
            for raw in adapter.open_envelope(broken):
                order = read(adapter, raw.payload)
                assert order.revision == revision_of(order)
        except ChannelError as error:
            self.told_in_both_languages(error)

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def test_a_refusal_quotes_no_personal_data(self, data: st.DataObject) -> None:
        adapter = CHANNELS[self.channel].adapter
        holding = sorted(name for name, count in self.orders_in.items() if count)
        body = self.body(data.draw(st.sampled_from(holding)))
        payload = data.draw(st.sampled_from(adapter.open_envelope(body))).payload
        personal = _personal(read(adapter, payload))
        try:
            read(adapter, data.draw(damaged(payload)))
        except ChannelError as error:
            told = f"{error} {error!r} {error.text.en} {error.text.zh}"
            assert not [word for word in personal if word in told]

    # -- webhooks

    def test_a_signed_request_is_accepted(self, adapter: ChannelAdapter) -> None:
        if self.signed is None:
            with pytest.raises(ForgedRequest):
                adapter.verify({}, self.body(self.reference), self._signing("any secret"))
            with pytest.raises(ForgedRequest):
                adapter.verify_headers({}, self._signing("any secret"))
        else:
            adapter.verify_headers(self.signed.headers, self._signing(self.signed.secret))
            adapter.verify(self.signed.headers, self.signed.body, self._signing(self.signed.secret))

    def test_a_forged_request_is_refused(self, adapter: ChannelAdapter) -> None:
        for headers, body, secret in self._forgeries():
            with pytest.raises(ForgedRequest) as caught:
                adapter.verify(headers, body, self._signing(secret))
            assert caught.value.text.zh
            if self.signed is not None:
                assert self.signed.secret not in f"{caught.value} {caught.value!r} {caught.value.text}"

    def test_a_push_without_a_signature_is_refused_before_its_body_is_read(self, adapter: ChannelAdapter) -> None:
        unsigned = {"content-type": "application/json", ":path": f"/webhooks/{self.channel}/{SHOP_ID}"}
        for headers in (unsigned, dict.fromkeys(self.signed.headers, "") if self.signed else {}):
            with pytest.raises(ForgedRequest):
                adapter.verify_headers(headers, self._signing("any secret"))

    def test_a_form_is_signed_as_the_platform_does_it(self, adapter: ChannelAdapter) -> None:
        """By its bytes, as every body; or by its parameters in any order, and then not by its bytes."""
        if self.signed is None:
            return
        as_form = {**self.signed.headers, "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        shop = self._signing(self.signed.secret)
        if self.signed_form is None:
            adapter.verify(as_form, self.signed.body, shop)
            return
        with pytest.raises(ForgedRequest):
            adapter.verify(as_form, self.signed.body, shop)
        form, shop = self.signed_form, self._signing(self.signed_form.secret)
        turned = b"&".join(reversed(form.body.split(b"&")))
        adapter.verify(form.headers, form.body, shop)
        adapter.verify(form.headers, turned, shop)
        for forged in (form.body + b"&more=1", form.body[:-1] + b"x", form.body * 5_000, b"\xff" + form.body, b""):
            with pytest.raises(ForgedRequest):
                adapter.verify(form.headers, forged, shop)
        with pytest.raises(ForgedRequest):
            adapter.verify({**form.headers, "content-type": "application/json"}, form.body, shop)

    @pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, partial(zlib.compress, level=1)])
    def test_a_compressed_body_is_refused_by_name_and_not_opened(
        self, adapter: ChannelAdapter, pack: Callable[[bytes], bytes]
    ) -> None:
        """No platform compresses what it pushes: a small body that becomes a large one is an attack."""
        assert code_of(adapter.open_envelope, pack(self.body(self.reference))) == "compressed"
        bomb = pack(self.reference_order() + b" " * (16 << 20))
        tracemalloc.start()
        try:
            assert code_of(adapter.open_envelope, bomb) == "compressed"
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()

    def _signing(self, secret: str) -> ShopSettings:
        """The shop, with this secret for pushes and no other."""
        secrets = {"webhook_secret": SecretStr(secret), "app_secret": SecretStr("")}
        return self.shop.model_copy(update=secrets)

    def _forgeries(self) -> Iterator[tuple[Mapping[str, str], bytes, str]]:
        if self.signed is None:
            yield {"authorization": "anything"}, b"{}", ""
            return
        good = self.signed
        yield good.headers, good.body + b" ", good.secret
        yield good.headers, b"", good.secret
        yield good.headers, good.body, good.secret + "x"
        yield good.headers, good.body, ""
        yield {}, good.body, good.secret
        yield dict.fromkeys(good.headers, ""), good.body, good.secret
        yield dict.fromkeys(good.headers, "中文"), good.body, good.secret

    # -- the client

    async def pull(self, handler: Callable[[httpx.Request], httpx.Response]) -> list[RawOrder]:
        """All orders of WINDOW from a platform that answers as `handler` does."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
            client = CHANNELS[self.channel].make_client(self.shop, http, lambda: NOW)
            return [raw async for page in client.orders_modified(WINDOW) for raw in page]

    async def refusal(self, handler: Callable[[httpx.Request], httpx.Response]) -> ChannelError:
        with pytest.raises(ChannelError) as caught:
            await self.pull(handler)
        self.told_in_both_languages(caught.value)
        return caught.value

    def test_the_client_names_what_the_platform_allows(self) -> None:
        client = CHANNELS[self.channel].make_client(self.shop, httpx.AsyncClient(), lambda: NOW)
        assert client.rules.max_window > timedelta(0)
        assert client.rules.page_size > 0

    def test_the_shop_may_ask_for_a_smaller_page(self) -> None:
        shop = self.shop.model_copy(update={"page_size": 7})
        assert CHANNELS[self.channel].make_client(shop, httpx.AsyncClient(), lambda: NOW).rules.page_size == 7

    @pytest.mark.parametrize(
        "error", [httpx.ReadTimeout, httpx.ConnectTimeout, httpx.ConnectError, httpx.RemoteProtocolError]
    )
    async def test_no_answer_is_unavailable(self, error: type[httpx.TransportError]) -> None:
        assert isinstance(await self.refusal(failing(error)), ChannelUnavailable)

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    async def test_a_platform_in_trouble_is_unavailable(self, status: int) -> None:
        assert isinstance(await self.refusal(answering(httpx.Response(status))), ChannelUnavailable)

    async def test_retry_after_is_passed_on(self) -> None:
        error = await self.refusal(answering(httpx.Response(429, headers={"Retry-After": "17"})))
        assert isinstance(error, ChannelUnavailable)
        assert error.retry_after == 17.0

    async def test_a_page_of_html_is_unavailable(self) -> None:
        page = httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<html>Maintenance</html>")
        assert isinstance(await self.refusal(answering(page)), ChannelUnavailable)

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    async def test_other_refusals_are_refused(self, status: int) -> None:
        error = await self.refusal(answering(httpx.Response(status, json={})))
        assert isinstance(error, ChannelRefused)
        assert error.code

    async def test_no_secret_is_in_an_error_or_a_log(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        answers = [answering(httpx.Response(status, json={"error": "x"})) for status in (200, 401, 429, 500)]
        for handler in [*answers, failing(httpx.ReadTimeout)]:
            try:
                await self.pull(handler)
            except ChannelError as error:
                told = "".join(traceback.format_exception(error)) + repr(error.text) + caplog.text
                assert not [secret for secret in self.secrets() if secret in told]
        assert not [secret for secret in self.secrets() if secret in caplog.text]
