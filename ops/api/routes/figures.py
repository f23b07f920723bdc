"""The seller's figures, and what people enter for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Shop, Warehouse
from schemas.record import record
from workers.admin.desk.entered import WRONG_KINDS, Measure, SupportDay, WrongShipment
from workers.admin.desk.figures import Figures

router = APIRouter(tags=["figures"])

_STRICT = ConfigDict(extra="forbid", str_max_length=300)
_USUAL_DAYS = timedelta(days=13)


class WrongReport(BaseModel):
    """A shipment that a buyer reported as wrong."""

    model_config = _STRICT

    order_uid: str = Field(description="CHANNEL:SHOP:PLATFORM-ORDER-ID.")
    kind: str = Field(description=", ".join(WRONG_KINDS))
    day: date = Field(description="On which the buyer said so.")
    warehouse: str = Field("", pattern="^[a-z0-9-]{0,63}$", description="Left out: what the order book knows.")


class SupportCount(BaseModel):
    """What customer service of a shop counted on a day."""

    model_config = _STRICT

    day: date
    shop: str = Field(pattern="^[a-z0-9-]+:[a-z0-9-]+$")
    questions: int = Field(ge=0)
    about_orders: int = Field(ge=0)


class TargetRequest(BaseModel):
    """A target: seconds, or a share from 0 to 1; null takes it away."""

    model_config = _STRICT

    measure: Measure
    target: float | None


@record
class Entered:
    """How many rows were new, or set."""

    rows: int


@router.get("/figures", response_model=Figures, summary="From placed to shipped, wrong shipments, order questions")
def figures(
    actor: Caller,
    desk: TheDesk,
    begins: Annotated[date | None, Query(description="The first day; left out: two weeks to the last.")] = None,
    ends: Annotated[date | None, Query(description="The last day; left out: today.")] = None,
    by: Annotated[
        list[Literal["day", "shop", "warehouse"]] | None, Query(description="Rows for each of these.")
    ] = None,
    shop: Shop = None,
    warehouse: Warehouse = None,
) -> Response:
    """Of orders by the day on which they were placed; times in seconds, within 5 %. Scope: `figures:read`."""
    last = ends or desk.figures.today()
    first = begins or last - _USUAL_DAYS
    dimensions = by if by is not None else ["day"]
    return answer(desk.figures.show(actor, begins=first, ends=last, by=dimensions, shop=shop, warehouse=warehouse))


@router.post("/figures/wrong-shipments", response_model=Entered, summary="Report wrong shipments")
def report_wrong(
    actor: Caller, desk: TheDesk, body: Annotated[list[WrongReport], Field(min_length=1, max_length=1000)]
) -> Response:
    """All or none; of an order each kind counts once, however often it is reported. Scope: `figures:write`."""
    reports = [WrongShipment(**each.model_dump()) for each in body]
    return answer(Entered(rows=desk.figures.entered.add_wrong(actor, reports)))


@router.post("/figures/support", response_model=Entered, summary="Say what customer service counted")
def say_support(
    actor: Caller, desk: TheDesk, body: Annotated[list[SupportCount], Field(min_length=1, max_length=1000)]
) -> Response:
    """All or none; said again of a day and shop, the last word counts. Scope: `figures:write`."""
    days = [SupportDay(**each.model_dump()) for each in body]
    return answer(Entered(rows=desk.figures.entered.set_support(actor, days)))


@router.put("/figures/targets", response_model=Entered, summary="Set a target, or take it away")
def set_target(actor: Caller, desk: TheDesk, body: TargetRequest) -> Response:
    """Scope: `figures:write`; role: lead."""
    desk.figures.entered.set_target(actor, body.measure, body.target)
    return answer(Entered(rows=1))
