"""A raw record becomes an order with its origin, or is refused by name. No Kafka, no event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from channel_adapters.contract import ForgedRequest, Headers, RawOrder, UnreadablePayload
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import PayloadProblem
from schemas.dead_letter import Failure
from schemas.order import Line, Order, OrderStatus, Source
from schemas.revision import is_same_state, revision_of
from schemas.text import Text
from tests.builders import NOON, a_line, an_order
from workers.normalize.decide import decide
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery

RECEIVED = NOON + timedelta(seconds=2)


@dataclass(frozen=True)
class ATemplate:
    """Reads one word as an order, refuses the rest."""

    name: str
    refusal: UnreadablePayload
    modified_at: datetime = NOON
    lines: tuple[Line, ...] = (a_line(),)

    def read(self, payload: bytes, shop: Shop) -> Order:
        shop_id = shop.shop_id
        if payload.strip() != self.name.encode():
            raise self.refusal
        order = an_order(channel="taobao", shop_id=shop_id, source=Source(template=self.name), lines=self.lines)
        return replace(order, uid=f"taobao:{shop_id}:77", platform_order_id="77", modified_at=self.modified_at)


MAIN = ATemplate("full", UnreadablePayload("unknown-status", "trade.status", PayloadProblem.DOES_NOT_FIT(kind="enum")))
BACKUP = ATemplate("list", UnreadablePayload("missing-field", "trade.tid", PayloadProblem.FIELD_MISSING()))


@dataclass(frozen=True)
class AFormat:
    channel: str = "taobao"
    templates: Sequence[ATemplate] = (MAIN, BACKUP)

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        raise AssertionError("a raw record holds one order object; there is no envelope to open")

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        self.verify(headers, b"", shop)

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        return None

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        raise ForgedRequest(Text("is not signed", "未签名"))


def a_record(
    payload: bytes = b"full",
    *,
    shop: bytes | None = b"flagship",
    received: bytes | None = b"%d" % int(RECEIVED.timestamp() * 1000),
    key: bytes = b"taobao:flagship:77",
    topic: str = "orders.raw.taobao",
    timestamp_ms: int = 0,
    more: Mapping[str, bytes | None] = MappingProxyType({}),
) -> Delivery[bytes]:
    headers = [(name, value) for name, value in (("shop", shop), ("received-at", received)) if value is not None]
    headers += [(name, value) for name, value in more.items() if value is not None]
    return Delivery(payload, key=key, headers=headers, topic=topic, partition=3, offset=41, timestamp_ms=timestamp_ms)


def read(delivery: Delivery[bytes], *templates: ATemplate) -> Order:
    return decide(delivery, {"taobao": AFormat(templates=templates or (MAIN, BACKUP))})


def refusal(delivery: Delivery[bytes], *templates: ATemplate) -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        read(delivery, *templates)
    assert all(failure.tell("en") != failure.tell("zh") for failure in caught.value.failures)
    return caught.value


# -- what becomes an order -----------------------------------------------------------------------------------------


def test_an_order_carries_where_its_bytes_can_be_found_again() -> None:
    order = read(a_record())
    assert order.uid == "taobao:flagship:77"
    assert order.source == Source(
        template="full", topic="orders.raw.taobao", partition=3, offset=41, received_at=RECEIVED
    )


def test_reading_what_came_once_more_changes_nothing_but_the_source_and_when_it_was_received() -> None:
    first, again = read(a_record()), read(a_record(received=b"1800000000000"))
    assert first.source != again.source
    assert replace(first, source=again.source, revision=again.revision) == again
    assert first.revision < again.revision
    assert is_same_state(first.revision, again.revision)


def test_the_backup_template_is_recorded() -> None:
    assert read(a_record(b"list")).source.template == "list"


def test_without_a_header_the_record_s_own_time_is_the_time_of_receipt() -> None:
    order = read(a_record(received=None, timestamp_ms=int(RECEIVED.timestamp() * 1000)))
    assert order.source.received_at == RECEIVED


def test_a_platform_clock_may_be_an_hour_ahead() -> None:
    assert read(a_record(), replace(MAIN, modified_at=RECEIVED + timedelta(hours=1))).modified_at > RECEIVED


def test_ten_megabytes_are_still_an_order() -> None:
    assert read(a_record(b"full".ljust(MAX_PAYLOAD_BYTES))).uid == "taobao:flagship:77"


# -- what no platform says by itself -------------------------------------------------------------------------------


def millis(moment: datetime) -> bytes:
    return b"%d" % int(moment.timestamp() * 1000)


def test_a_deleted_order_is_cancelled_as_of_its_receipt() -> None:
    order = read(a_record(b'{"id": 77}', more={"event": b"deleted"}))
    assert (order.uid, order.status, order.lines) == ("taobao:flagship:77", OrderStatus.CANCELLED, ())
    assert order.modified_at == order.source.received_at == RECEIVED
    assert order.revision == revision_of(order)


def test_a_deletion_is_as_of_the_last_state_that_is_known_whenever_it_came() -> None:
    newest = RECEIVED + timedelta(minutes=3)
    order = read(a_record(b'{"id":"77"}', more={"event": b"deleted", "deleted-after": millis(newest)}))
    assert order.modified_at == newest
    older = read(a_record(b'{"id":"77"}', more={"event": b"deleted", "deleted-after": millis(NOON)}))
    assert older.modified_at == NOON


def test_a_deletion_that_names_no_order_or_another_one_is_refused() -> None:
    assert refusal(a_record(b"{}", more={"event": b"deleted"})).reason == "missing-field"
    assert refusal(a_record(b"7 7", more={"event": b"deleted"})).reason == "broken-json"
    assert refusal(a_record(b'{"id": 78}', more={"event": b"deleted"})).reason == "key-mismatch"


def test_an_edition_is_later_by_its_number_and_newer_than_those_before_it() -> None:
    plain, first, second = (read(a_record(more={"edition": each} if each else {})) for each in (b"", b"1", b"12"))
    assert first.modified_at == plain.modified_at + timedelta(milliseconds=1)
    assert revision_of(plain) < first.revision < second.revision
    assert second.revision == revision_of(second)


@pytest.mark.parametrize("edition", [b"soon", b"-1", b"1000", b"\xff"])
def test_an_edition_that_is_no_number_is_refused(edition: bytes) -> None:
    error = refusal(a_record(more={"edition": edition}))
    assert (error.reason, error.failures[0].where) == ("bad-header", "edition")


def test_headers_without_a_value_say_nothing() -> None:
    assert read(a_record(more={"event": None, "edition": None, "deleted-after": None})) == read(a_record())


# -- what does not -------------------------------------------------------------------------------------------------


def test_when_no_template_fits_there_is_one_failure_for_each() -> None:
    error = refusal(a_record(b"odd"))
    assert error.reason == "unknown-status"
    assert error.failures == (
        Failure(attempt="full", where="trade.status", explanation=PayloadProblem.DOES_NOT_FIT(kind="enum")),
        Failure(attempt="list", where="trade.tid", explanation=PayloadProblem.FIELD_MISSING()),
    )


def test_a_payload_over_ten_megabytes_is_too_large() -> None:
    error = refusal(a_record(b"full".ljust(MAX_PAYLOAD_BYTES + 1)))
    assert error.reason == "too-large"
    assert "10,485,761 bytes" in error.failures[0].tell("en")


def test_an_order_modified_in_the_future_would_make_every_later_revision_look_old() -> None:
    error = refusal(a_record(), replace(MAIN, modified_at=RECEIVED + timedelta(hours=1, seconds=1)))
    assert error.reason == "time-in-future"
    assert error.failures[0].attempt == "full"
    assert error.failures[0].where == "modified_at"
    assert "2026-11-11 05:00:03 UTC" in error.failures[0].tell("en")


@pytest.mark.parametrize("key", [b"taobao:flagship:78", b"taobao:outlet:77", b"", b"\xff"])
def test_an_order_under_the_key_of_another_is_refused(key: bytes) -> None:
    error = refusal(a_record(key=key))
    assert error.reason == "key-mismatch"
    assert "taobao:flagship:77" in error.failures[0].tell("en")


@pytest.mark.parametrize("shop", [None, b"", b"Flagship", b"a shop", b"shop:1", "店".encode(), b"shop\n"])
def test_a_record_that_names_no_shop_is_refused(shop: bytes | None) -> None:
    error = refusal(a_record(shop=shop))
    assert (error.reason, error.failures[0].where) == ("bad-header", "shop")


@pytest.mark.parametrize("received", [b"soon", b"", b"9" * 30, b"\xff", b"1e3"])
def test_a_time_of_receipt_that_is_none_is_refused(received: bytes) -> None:
    error = refusal(a_record(received=received, timestamp_ms=-1 if not received else 0))
    assert (error.reason, error.failures[0].where) == ("bad-header", "received-at")


def test_a_record_without_any_time_of_receipt_is_refused() -> None:
    assert refusal(a_record(received=None, timestamp_ms=-1)).reason == "bad-header"


@pytest.mark.parametrize("topic", ["orders.raw.amazon", "orders.raw.", "orders.raw"])
def test_a_channel_that_nobody_knows_is_refused(topic: str) -> None:
    assert refusal(a_record(topic=topic)).reason == "unknown-channel"


def test_times_are_utc() -> None:
    received = read(a_record()).source.received_at
    assert received is not None
    assert received.tzinfo is UTC


def test_decoration_that_no_topic_could_carry_is_cut_and_makes_another_state() -> None:
    template = replace(MAIN, lines=(a_line(title="长" * 900_000),))
    cut = decide(a_record(b"full" + b" " * 20_000), {"taobao": AFormat(templates=(template,))})
    assert len(cut.lines[0].title) == 200
    assert not is_same_state(cut.revision, template.read(b"full", Shop("flagship")).revision)
    assert (
        cut.revision == decide(a_record(b"full" + b" " * 20_000), {"taobao": AFormat(templates=(template,))}).revision
    )


def test_an_identity_that_is_too_long_is_refused_by_its_name() -> None:
    template = replace(MAIN, lines=(a_line(sku="S" * 900_000),))
    with pytest.raises(PermanentError) as refusal:
        decide(a_record(b"full" + b" " * 20_000), {"taobao": AFormat(templates=(template,))})
    [failure] = refusal.value.failures
    assert (refusal.value.reason, failure.where) == ("too-long", "lines.0.sku")
    assert "SSS" not in str(refusal.value)
