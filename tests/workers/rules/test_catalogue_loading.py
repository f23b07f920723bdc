"""Reading catalogue.yaml, and what a person reads who made a mistake in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.order import LineKind, StorageClass
from tests.workers.rules.examples import example_catalogue
from workers.rules.catalogue import Binding, Sku
from workers.rules.loading import load_catalogue
from workers.rules.problems import RulesetErrors

TEA = "TEA: {title: 茶, category: tea, storage: ambient}"
CUP = "CUP: {title: 杯, category: gift, storage: ambient, kind: gift}"


def errors(text: str) -> list[str]:
    with pytest.raises(RulesetErrors) as raised:
        load_catalogue(text, "catalogue.yaml", ("taobao", "jd"))
    return [problem.tell() for problem in raised.value.problems]


def with_binding(*bindings: str) -> str:
    return f"skus:\n  {TEA}\n  {CUP}\nbindings:\n" + "".join(f"  - {binding}\n" for binding in bindings)


def test_a_sku_says_how_it_is_kept_what_it_weighs_and_what_it_costs() -> None:
    assert example_catalogue().skus["ICECREAM-8"] == Sku(
        code="ICECREAM-8",
        title="香草冰淇淋 8 支",
        category="frozen",
        storage=StorageClass.FROZEN,
        weight_grams=780,
        price_fen=7600,
        kind=LineKind.PURCHASE,
    )
    assert example_catalogue().skus["GIFT-TOTE"].kind is LineKind.GIFT


def test_a_binding_says_what_comes_with_what_where_and_when() -> None:
    (binding,) = example_catalogue().by_main["SERUM-30"]
    assert binding == Binding(
        main="SERUM-30",
        gift="GIFT-SAMPLE-5ML",
        per=1,
        quantity=3,
        channels=frozenset(("taobao", "douyin")),
        start=datetime(2025, 12, 31, 16, tzinfo=UTC),
        end=datetime(2030, 12, 31, 16, tzinfo=UTC),
    )


def test_the_example_covers_ordinary_chilled_frozen_presale_and_gift_skus() -> None:
    skus = example_catalogue().skus.values()
    assert sum(sku.kind is LineKind.GIFT for sku in skus) == 6
    assert {sku.storage for sku in skus} == set(StorageClass)
    assert all(sku.weight_grams > 0 for sku in skus)
    assert all(sku.price_fen > 0 for sku in skus if sku.kind is LineKind.PURCHASE)
    assert [sku.code for sku in skus if sku.category == "presale-goods"] == ["DOWN-COAT-M"]


@pytest.mark.parametrize(
    ("units", "per", "quantity", "due"), [(1, 1, 1, 1), (3, 1, 2, 6), (1, 2, 1, 0), (5, 2, 1, 2), (0, 1, 1, 0)]
)
def test_gifts_come_per_whole_number_of_main_units(units: int, per: int, quantity: int, due: int) -> None:
    assert Binding(main="A", gift="B", per=per, quantity=quantity).due(units) == due


def test_a_binding_holds_from_its_start_until_just_before_its_end() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    binding = Binding(main="A", gift="B", channels=frozenset(("jd",)), start=start, end=end)
    assert binding.holds_for("jd", start)
    assert not binding.holds_for("jd", end)
    assert not binding.holds_for("taobao", start)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bindings: []", ["catalogue.yaml, line 1: skus is missing"]),
        ("skus: {}", ["catalogue.yaml, line 1: skus: holds no SKU"]),
        (
            "skus:\n  TEA: {titel: 茶, category: tea, storage: cool, weight_grams: heavy}",
            [
                "catalogue.yaml, line 2: SKU TEA: title is missing",
                "catalogue.yaml, line 2: SKU TEA, titel: there is no field titel here; did you mean title?",
                (
                    "catalogue.yaml, line 2: SKU TEA, storage: cool is not a storage class; "
                    "there are: ambient, chilled, frozen"
                ),
                (
                    "catalogue.yaml, line 2: SKU TEA, weight_grams: should be a whole number from 0 to 10000000, "
                    "not heavy"
                ),
            ],
        ),
        (f"skus:\n  {TEA}\n  {TEA}", ["catalogue.yaml, line 3: SKU TEA: stands here twice; keep one"]),
        (
            with_binding("{main: TEE, gift: CUP}"),
            ["catalogue.yaml, line 5: binding 1, main: TEE is not a SKU of this catalogue; did you mean TEA?"],
        ),
        (
            with_binding("{main: TEA, gift: TEA}"),
            ["catalogue.yaml, line 5: binding 1: TEA can't be its own gift"],
        ),
        (
            with_binding("{main: TEA, gift: CUP, per: 0}"),
            ["catalogue.yaml, line 5: binding 1, per: should be a whole number from 1 to 1000000, not 0"],
        ),
        (
            with_binding("{main: TEA, gift: CUP, channels: [tabao]}"),
            ["catalogue.yaml, line 5: binding 1, channels[1]: tabao is not a channel; did you mean taobao?"],
        ),
        (
            with_binding("{main: TEA, gift: CUP, from: 2026-02-01T00:00:00Z, to: 2026-01-01T00:00:00Z}"),
            ["catalogue.yaml, line 5: binding 1: ends before it starts"],
        ),
        (
            with_binding("{main: TEA, gift: CUP}", "{main: TEA, gift: CUP, channels: [jd]}"),
            [
                (
                    "catalogue.yaml, line 6: binding 2: promises the same gift for the same main SKU, channel and time "
                    "as binding 1; keep one"
                )
            ],
        ),
    ],
)
def test_a_mistake_is_told_by_sku_or_binding(text: str, said: list[str]) -> None:
    assert errors(text) == said


def test_bindings_of_one_gift_may_follow_each_other_in_time() -> None:
    text = with_binding(
        "{main: TEA, gift: CUP, to: 2026-02-01T00:00:00Z}", "{main: TEA, gift: CUP, from: 2026-02-01T00:00:00Z}"
    )
    assert len(load_catalogue(text, "catalogue.yaml").bindings) == 2
