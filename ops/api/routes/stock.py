"""Stock: how it stands, who waits for it, what is asked to be moved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from ops.api.calling import Caller, TheDesk, answer
from ops.api.parameters import Cursor, Limit, Sku, Warehouse
from workers.admin.desk.paging import Page
from workers.admin.desk.stock import Backordered, SkuStock
from workers.admin.stock import StockFigures
from workers.admin.transfers import TransferSum

router = APIRouter(tags=["stock"])


@router.get("/stock", response_model=Page[StockFigures], summary="Stock of every SKU in every warehouse")
def stock(
    actor: Caller, desk: TheDesk, warehouse: Warehouse = None, sku: Sku = None, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Asked of the stock ledger itself, so it is as it stands now. By warehouse and SKU. Scope: `stock:read`."""
    return answer(desk.stock.levels(actor, warehouse_id=warehouse, sku=sku, cursor=cursor, limit=limit))


@router.get("/stock/{sku}", response_model=SkuStock, summary="One SKU, explained")
def stock_of(
    actor: Caller, desk: TheDesk, sku: Annotated[str, Path(max_length=200, description="The SKU.")]
) -> Response:
    """Where its units are, in all warehouses together and in each, and who waits for it. Scope: `stock:read`.

    404 `unknown-sku` when it was never counted anywhere.
    """
    return answer(desk.stock.of_sku(actor, sku))


@router.get("/backorders", response_model=list[Backordered], summary="Orders that wait for stock, the oldest first")
def backorders(
    actor: Caller, desk: TheDesk, sku: Sku = None, warehouse: Warehouse = None, limit: Limit = 50
) -> Response:
    """They go on by themselves when one of their warehouses has all of it. Scope: `stock:read`."""
    return answer(desk.stock.backorders(actor, sku=sku, warehouse_id=warehouse, limit=limit))


@router.get("/transfers", response_model=list[TransferSum], summary="Transfers asked for, summed per SKU and route")
def transfers(
    actor: Caller, desk: TheDesk, days: Annotated[int, Query(ge=1, le=30, description="Of the last so many days.")] = 7
) -> Response:
    """What orders asked to be moved, most units first. Reads Kafka: a second or more. Scope: `stock:read`."""
    return answer(desk.stock.transfers(actor, days=days))
