"""Pure arithmetic on what is wanted and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from schemas.order import Line

MOST_PARCELS: Final = 3
_MOST_COMBINATIONS: Final = 200


def wanted(lines: Iterable[Line]) -> dict[str, int]:
    """Units by SKU. Lines of one SKU are added up before any stock is looked at."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def missing(quantities: Mapping[str, int], available: Mapping[str, int]) -> dict[str, int]:
    """Units short by SKU; empty when all is there."""
    short = {sku: quantity - max(0, available.get(sku, 0)) for sku, quantity in quantities.items()}
    return {sku: units for sku, units in short.items() if units > 0}


def split_plans(
    lines: Sequence[Line], available: Mapping[str, Mapping[str, int]]
) -> Iterator[dict[str, tuple[Line, ...]]]:
    """Ways to ship the lines from several warehouses, as `warehouse_assignments` finds them.

    A line is never torn, and a gift goes with its main line. `available`: warehouse -> SKU -> units.
    """
    together = bundles(lines)
    for found in warehouse_assignments([wanted(bundle) for bundle in together], available):
        way: dict[str, tuple[Line, ...]] = {}
        for bundle, warehouse in zip(together, found, strict=True):
            way[warehouse] = (*way.get(warehouse, ()), *bundle)
        yield way


def warehouse_assignments(
    needs: Sequence[Mapping[str, int]], available: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[str, ...]]:
    """Ways to spread parcels over warehouses, a warehouse each: pairs before triples, warehouses in the order given.

    Bounded, so it may miss a way that a full search would find; it never gives one that does not fit.
    """
    tried = 0
    for count in range(2, MOST_PARCELS + 1):
        for chosen in combinations(available, count):
            tried += 1
            if tried > _MOST_COMBINATIONS:
                return
            found = _fill(needs, {warehouse: dict(available[warehouse]) for warehouse in chosen})
            if len(set(found)) == count:
                yield found


def bundles(lines: Sequence[Line]) -> list[tuple[Line, ...]]:
    """What must stay in one parcel: a main line with its gifts. The largest first, as those are hardest to place."""
    root = {line.line_id: line.line_id for line in lines}

    def find(line_id: str) -> str:
        while root[line_id] != line_id:
            line_id = root[line_id]
        return line_id

    for line in lines:
        for main in line.bound_to:
            if main in root:
                root[find(line.line_id)] = find(main)
    together: dict[str, list[Line]] = {}
    for line in lines:
        together.setdefault(find(line.line_id), []).append(line)
    return sorted((tuple(group) for group in together.values()), key=lambda group: -sum(wanted(group).values()))


def _fill(needs: Sequence[Mapping[str, int]], stock: dict[str, dict[str, int]]) -> tuple[str, ...]:
    """A warehouse for each; () when they do not fit."""
    found: list[str] = []
    for units in needs:
        warehouse = next((name for name, there in stock.items() if not missing(units, there)), None)
        if warehouse is None:
            return ()
        for sku, quantity in units.items():
            stock[warehouse][sku] -= quantity
        found.append(warehouse)
    return tuple(found)
