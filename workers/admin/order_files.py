"""Orders in a file, as `orderfleet parse` prints them: one document, or one a line. Pure."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from schemas.order import Order
from schemas.plan import PlannedOrder
from schemas.record import decode
from schemas.text import Text
from workers.admin.errors import OperatorError


class NotAnOrder(OperatorError):
    """Why it is no order of ours: the first field at fault, never its value."""

    def __init__(self, name: str, line: int, body: bytes) -> None:
        """`line`: the one that is none, 0 for the whole body."""
        where, what = _first_fault(body.splitlines()[line - 1] if line else body)
        place = Text(f"{name}, line {line}", f"{name} 第 {line} 行") if line else Text(name, name)
        super().__init__(
            Text(
                f"{place.en} is not an order as orderfleet parse prints it ({where}{what}); a platform's own payload "
                "goes through orderfleet parse first",
                f"{place.zh} 不是 orderfleet parse 输出的订单（{where}{what}）；"
                "平台原始报文请先用 orderfleet parse 转换",
            )
        )


def read_orders(body: bytes, name: str) -> list[Order]:
    """All orders in a file of this name; of planned orders, what was planned. Raises NotAnOrder."""
    whole = _order(body)
    if whole is not None:
        return [whole]
    orders: list[Order] = []
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        found = _order(line)
        if found is None:
            raise NotAnOrder(name, number if orders or _is_json(line) else 0, body)
        orders.append(found)
    if not orders:
        raise NotAnOrder(name, 0, body)
    return orders


def _order(body: bytes) -> Order | None:
    try:
        return decode(Order, body)
    except ValidationError:
        pass
    try:
        return decode(PlannedOrder, body).order
    except ValidationError:
        return None


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _first_fault(body: bytes) -> tuple[str, str]:
    try:
        decode(Order, body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in fault["loc"])
        return (f"{path}: " if path else ""), "not JSON" if fault["type"] == "json_invalid" else fault["type"]
    return "", ""
