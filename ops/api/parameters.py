"""Parameters that many endpoints take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from workers.admin.desk.paging import MOST

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many on this page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1000, description="`next` of the page before, as it is. It says nothing to anybody else."),
]
Sku = Annotated[str | None, Query(max_length=200, description="Only this SKU.")]
Warehouse = Annotated[str | None, Query(pattern="^[a-z0-9-]{1,63}$", description="Only this warehouse.")]
Shop = Annotated[
    str | None, Query(pattern="^[a-z0-9-]+:[a-z0-9-]+$", max_length=130, description="Only this shop, CHANNEL:SHOP.")
]
OrderUid = Annotated[str, Path(max_length=300, description="CHANNEL:SHOP:PLATFORM-ORDER-ID.")]
