"""What a person decided about an order, what became of it, and what stands of it.

A decision is a fact like an order. `Decided` answers it, and is kept for ever: it holds what was decided, by whom, and all
that is needed to know what stands, without personal data. That is in the decision alone, which is kept as long as orders
are. See workers/decisions/standing.py.
"""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.ids import Slug
from schemas.record import record
from schemas.text import Text

MOST_DECISIONS: Final = 100
"""So many decisions about one order are taken in; more are refused. People correct an order a few times, scripts err."""


class DecisionKind(StrEnum):
    """What a person may decide."""

    RELEASE = "release"  # it may ship, whatever asked for a person until now; ends a hold and a cancellation, too
    REDECIDE = "redecide"  # decide anew by today's rules and catalogue; what was released before asks again
    HOLD = "hold"  # do not ship until it is released
    CANCEL = "cancel"  # do not ship at all, and give its stock back
    CORRECT = "correct"  # change lines or the receiver, then decide anew
    SPLIT = "split"  # it may go in several parcels when no warehouse has all of it
    SETTLE_FLAG = "settle-flag"  # some of its reasons do not ask for a person any more
    NOTE = "note"  # nothing but words


@record
class ReceiverCorrection:
    """Fields of the receiver that are changed, in plain words; None leaves one as it is."""

    province: str | None = None
    city: str | None = None
    district: str | None = None
    town: str | None = field(default=None, repr=False)
    street: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    postcode: str | None = field(default=None, repr=False)


@record
class LineCorrection:
    """What is changed about one line of the order; None leaves it as it is."""

    line_id: str
    sku: str | None = None  # what is to be picked instead
    quantity: int | None = None  # how many are shipped: never more than the buyer ordered, 0 drops the line


@record
class AddedGift:
    """A gift line that is added."""

    sku: str
    quantity: int
    bound_to: tuple[str, ...] = ()  # line ids


@record
class Correction:
    """What `correct` changes."""

    lines: tuple[LineCorrection, ...] = ()
    gifts: tuple[AddedGift, ...] = ()
    receiver: ReceiverCorrection | None = None


@record
class Decision:
    """On `orders.decisions`. The same `decision_id` is the same decision: it is applied once, however often it comes."""

    decision_id: str
    order_uid: str
    kind: DecisionKind
    who: str  # a name of the seller's own staff, or of a program
    at: datetime
    why: str = field(default="", repr=False)  # what a person typed may name another
    seen: str = ""  # the revision that they looked at; "": whatever it is (hold, redecide, settle-flag and note only)
    warehouse_id: Slug | None = None  # release: to this one; None: as suggested
    codes: tuple[str, ...] = ()  # settle-flag: which reasons
    correction: Correction | None = None


class DecisionRefusal(StrEnum):
    """Why a decision is not applied."""

    ALREADY_SHIPPED = "already-shipped"
    ALREADY_TOLD = "already-told"
    BUSY = "busy"
    MAKES_NO_SENSE = "makes-no-sense"
    NO_RECEIVER = "no-receiver"
    NO_STOCK = "no-stock"
    NO_SUGGESTION = "no-suggestion"
    OVERTAKEN_BY_DECISION = "overtaken-by-decision"
    OVERTAKEN_BY_PLATFORM = "overtaken-by-platform"
    QUANTITY_ABOVE_ORDER = "quantity-above-order"
    TOO_MANY_DECISIONS = "too-many-decisions"
    UNKNOWN_LINE = "unknown-line"
    UNKNOWN_ORDER = "unknown-order"
    UNKNOWN_PROVINCE = "unknown-province"
    UNKNOWN_SKU = "unknown-sku"
    UNKNOWN_WAREHOUSE = "unknown-warehouse"


# fmt: off
REFUSALS: Final[Mapping[DecisionRefusal, Text]] = MappingProxyType({
    DecisionRefusal.ALREADY_SHIPPED: Text("the goods have left; ask the warehouse or the carrier to stop the parcel", "货物已发出；如需拦截请联系仓库或快递"),
    DecisionRefusal.ALREADY_TOLD: Text("a warehouse was told to ship it already; hold it first, and release it once the warehouse has stopped", "已有仓库收到发货指令；请先暂停（hold），待仓库停止后再放行"),
    DecisionRefusal.BUSY: Text("the order is being decided at this moment; look again and repeat it", "订单正在处理中；请稍后查看并重试"),
    DecisionRefusal.MAKES_NO_SENSE: Text("this cannot be done to the order as it stands", "以订单当前状态，此操作没有意义"),
    DecisionRefusal.NO_RECEIVER: Text("the order has no receiver; correct the receiver first", "订单没有收货人；请先更正收货信息"),
    DecisionRefusal.NO_STOCK: Text("that warehouse does not have all of it; name another, or release it as suggested: then it waits for stock", "该仓库库存不足；请指定其他仓库，或按建议放行（缺货则待货）"),
    DecisionRefusal.NO_SUGGESTION: Text("no rule names a warehouse for the order; name one", "没有规则为该订单给出仓库；请指定仓库"),
    DecisionRefusal.OVERTAKEN_BY_DECISION: Text("somebody decided about the order meanwhile; look at it again", "期间已有他人处理该订单；请重新查看"),
    DecisionRefusal.OVERTAKEN_BY_PLATFORM: Text("the platform changed the order meanwhile; look at it again", "期间平台已更新该订单；请重新查看"),
    DecisionRefusal.QUANTITY_ABOVE_ORDER: Text("no more can be shipped than the buyer ordered", "发货数量不能超过买家购买数量"),
    DecisionRefusal.TOO_MANY_DECISIONS: Text("too many decisions about this order; nothing more is taken in", "对该订单的操作次数过多，不再受理"),
    DecisionRefusal.UNKNOWN_LINE: Text("the order has no such line that is still to be shipped", "订单中没有该待发商品行"),
    DecisionRefusal.UNKNOWN_ORDER: Text("no order of this uid is known (any more); check it, or poll its shop again", "没有此 uid 的订单，或已超过保留期；请核对，或重新拉取店铺"),
    DecisionRefusal.UNKNOWN_PROVINCE: Text("there is no province of this name", "没有这个省份"),
    DecisionRefusal.UNKNOWN_SKU: Text("the catalogue does not know this SKU", "商品目录中没有此 SKU"),
    DecisionRefusal.UNKNOWN_WAREHOUSE: Text("the rules know no warehouse of this id", "规则中没有该仓库"),
})
# fmt: on
"""What each refusal means and what to do, for people."""


# -- what stands -----------------------------------------------------------------------------------------------------


@record
class Settled:
    """Reasons that a person has settled, and for which order: more units or another address ask again."""

    codes: tuple[str, ...] = ()  # hold codes and names of hold rules
    units: dict[str, int] = field(default_factory=dict)  # to ship then, by SKU
    address: str = ""  # a digest of the receiver
    warehouses: tuple[Slug, ...] = ()  # where it is to ship from, best first; () = as the rules say
    split: bool = False  # it may go in several parcels


@record
class LineBefore:
    """A line as it was when it was corrected: the platform changed it since when it is another."""

    line_id: str
    sku: str
    quantity: int


@record
class Decided:
    """On `orders.decided`, for ever: what was decided, and what became of it. The same for a repeat. No personal data."""

    decision_id: str
    order_uid: str
    kind: DecisionKind
    who: str
    at: datetime
    code: DecisionRefusal | None = None  # why it was refused; None = done
    where: str = ""  # with a refusal: which field, or which of several
    revision: str = ""  # of the order when it was decided
    issued: str = ""  # the retry revision under which the order is decided anew; "" = nothing changes for it
    number: int = 0  # how many decisions of the order have changed something, this one included
    settled: Settled | None = None  # release, split, settle-flag: what does not ask again
    lines: tuple[LineCorrection, ...] = ()  # correct: what changes about lines
    gifts: tuple[AddedGift, ...] = ()
    before: tuple[LineBefore, ...] = ()  # its lines as they were
    receiver_before: str = ""  # a digest of the receiver as it was; "" when that is not corrected

    @property
    def is_done(self) -> bool:
        """Whether it was applied."""
        return self.code is None


@record
class Upheld:
    """What tagging and routing are told of the decisions that stand for an order. `number`: how many were looked at."""

    number: int = 0
    held: bool = False
    cancelled: bool = False
    overtaken: bool = False  # the platform changed the very thing that a person had corrected
    settled: Settled | None = None
    gave_up: tuple[Slug, ...] = ()  # as in RoutingPlan: carried over from the plan before
    returns: int = 0
    at: datetime | None = None  # decide as of then; None: as of the message's own time
