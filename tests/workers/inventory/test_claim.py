"""What the claim script answers, parsed."""

from __future__ import annotations

from schemas.record import encode
from workers.inventory.operations import claim
from workers.inventory.operations.claim import Claim
from workers.inventory.records import ActiveInstruction


def test_the_warehouse_of_the_first_parcel_comes_first_wherever_lua_left_it() -> None:
    told = {
        "beijing": ActiveInstruction(digest="b", line_ids=("2",), parcel=2, parcels=2),
        "hangzhou": ActiveInstruction(digest="a", line_ids=("1",), parcel=1, parcels=2),
    }
    found = claim.parse(
        "jd:shop:1", [b"CLAIMED", b"7000", b"committed", b"{}", encode(told), b"", b"", b"", b"beijing"]
    )
    assert isinstance(found, Claim)
    assert list(found.routed) == ["hangzhou", "beijing"]
    assert found.told == ("beijing",)
