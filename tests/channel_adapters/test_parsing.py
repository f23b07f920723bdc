"""Templates are tried in their order, and what each said is kept when none fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from channel_adapters.contract import ChannelRefused, ForgedRequest, Headers, RawOrder, UnreadablePayload
from channel_adapters.parsing import NoTemplateFits, TemplateFailure, parse_body, read_order
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import PayloadProblem
from schemas.order import Order, OrderStatus, Source
from schemas.text import Text
from tests.builders import an_order

TOO_OLD = UnreadablePayload("missing-field", "lines", PayloadProblem.FIELD_MISSING())
TOO_NEW = UnreadablePayload("unknown-status", "state", PayloadProblem.DOES_NOT_FIT(kind="enum"))


@dataclass(frozen=True)
class ATemplate:
    """Reads payloads that begin with its name, and refuses all others in its own words."""

    name: str
    refusal: UnreadablePayload

    def read(self, payload: bytes, shop: Shop) -> Order:
        if payload.startswith(self.name.encode()):
            return an_order(shop_id=shop.shop_id, source=Source(template=self.name))
        raise self.refusal


def pieces(body: bytes) -> Sequence[RawOrder]:
    return [RawOrder(f"order-{index}", None, piece) for index, piece in enumerate(body.split(b","))]


@dataclass(frozen=True)
class AFormat:
    """A channel with two templates whose envelope is a comma."""

    channel: str = "acme"
    templates: Sequence[ATemplate] = (ATemplate("new", TOO_OLD), ATemplate("old", TOO_NEW))
    opens: Callable[[bytes], Sequence[RawOrder]] = pieces

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        return self.opens(body)

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        self.verify(headers, b"", shop)

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        if not payload.startswith(b"cancelled"):
            return None
        return an_order(shop_id=shop.shop_id, status=OrderStatus.CANCELLED, source=Source(template="status"))

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        raise ForgedRequest(Text("is not signed", "未签名"))


def raising(error: Exception) -> Callable[[bytes], Sequence[RawOrder]]:
    def opens(body: bytes) -> Sequence[RawOrder]:
        raise error

    return opens


def test_what_fits_no_template_and_is_cancelled_is_read_as_that() -> None:
    order = read_order(AFormat(), b"cancelled", Shop("shop-1"))
    assert (order.status, order.source.template) == (OrderStatus.CANCELLED, "status")


def test_the_main_template_is_tried_first() -> None:
    assert read_order(AFormat(), b"new", Shop("shop-1")).source.template == "new"


def test_the_backup_reads_what_the_main_one_refuses() -> None:
    order = read_order(AFormat(), b"old", Shop("shop-1"))
    assert (order.source.template, order.shop_id) == ("old", "shop-1")


def test_when_none_fits_each_template_says_why() -> None:
    with pytest.raises(NoTemplateFits) as caught:
        read_order(AFormat(), b"odd", Shop("shop-1"))
    assert caught.value.failures == (
        TemplateFailure("new", "missing-field", "lines", PayloadProblem.FIELD_MISSING()),
        TemplateFailure("old", "unknown-status", "state", PayloadProblem.DOES_NOT_FIT(kind="enum")),
    )
    assert caught.value.code == "missing-field"
    assert (
        str(caught.value)
        == "the order does not fit any known form (new: lines is missing; old: state does not fit: enum)"
    )
    assert (
        caught.value.text.zh == "该订单不符合任何已知格式（new：lines 缺少此字段；old：state 字段类型或取值不符：enum）"
    )


def test_a_body_gives_each_of_its_orders_or_why_it_cannot_be_read() -> None:
    first, second, third = parse_body(AFormat(), b"new,odd,old", Shop("shop-1"))
    assert isinstance(first, Order)
    assert isinstance(second, NoTemplateFits)
    assert second.platform_order_id == "order-1"
    assert str(second).startswith("order order-1 does not fit any known form")
    assert isinstance(third, Order)


def test_a_body_without_orders_says_so() -> None:
    assert parse_body(AFormat(opens=raising(TOO_NEW)), b"", Shop("shop-1")) == [TOO_NEW]


def test_the_platform_s_own_refusal_is_raised() -> None:
    with pytest.raises(ChannelRefused):
        parse_body(AFormat(opens=raising(ChannelRefused("expired", Text("expired", "已过期")))), b"", Shop("shop-1"))


def test_an_empty_page_gives_nothing() -> None:
    assert parse_body(AFormat(opens=lambda body: []), b"", Shop("shop-1")) == []
