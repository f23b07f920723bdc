"""Reading `catalogue.yaml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Final

from schemas.order import LineKind, StorageClass
from schemas.text import Text
from workers.rules.catalogue import Binding, Catalogue, Sku
from workers.rules.document import Node, read_document
from workers.rules.known import read_channels
from workers.rules.measure_parsing import read_window

_KINDS: Final[Mapping[str, LineKind]] = {
    "goods": LineKind.PURCHASE,
    "gift": LineKind.GIFT,
    "service": LineKind.SERVICE,
}
_SKU_FIELDS: Final = ("title", "category", "storage", "weight_grams", "price_fen", "kind")
_BINDING_FIELDS: Final = ("main", "gift", "per", "quantity", "channels", "from", "to")


def load_catalogue(text: str | bytes, source: str, channels: Collection[str] | None = None) -> Catalogue:
    """Read a catalogue; `source` is the file's name, `channels` those that exist (None: not checked).

    Raises RulesetErrors with every problem in the file.
    """
    root, problems = read_document(text, source)
    fields = root.mapping(("skus", "bindings"), required=("skus",))
    skus = dict(_skus(fields["skus"])) if "skus" in fields else {}
    bindings = _bindings(fields["bindings"], skus, channels) if "bindings" in fields else ()
    problems.raise_if_any()
    return Catalogue(skus=skus, bindings=bindings, digest=digest_of(text))


def digest_of(text: str | bytes) -> str:
    """16 hex digits that tell two file contents apart."""
    return blake2b(text if isinstance(text, bytes) else text.encode(), digest_size=8).hexdigest()


def _skus(node: Node) -> list[tuple[str, Sku]]:
    rows = node.mapping()
    if node.keys is not None and not rows:
        node.problem("holds no SKU", "没有任何 SKU")
    return [(code, _sku(code, row)) for code, row in rows.items()]


def _sku(code: str, row: Node) -> Sku:
    row.belongs_to(Text(f"SKU {code}", f"SKU {code}"))
    if not code.strip() or code != code.strip():
        row.problem("a SKU code can't be empty or begin or end with a blank", "SKU 编码不能为空，首尾不能有空格")
    fields = row.mapping(_SKU_FIELDS, required=("title", "category", "storage"))
    storage = fields["storage"].choice(list(StorageClass), "a storage class", "储存方式") if "storage" in fields else ""
    kind = fields["kind"].choice(_KINDS, "a kind of SKU", "SKU 类型") if "kind" in fields else ""
    return Sku(
        code=code,
        title=fields["title"].text() if "title" in fields else "",
        category=fields["category"].text() if "category" in fields else "",
        storage=StorageClass(storage or "ambient"),
        weight_grams=fields["weight_grams"].integer(0, 10**7) if "weight_grams" in fields else 0,
        price_fen=fields["price_fen"].integer(0, 10**11) if "price_fen" in fields else 0,
        kind=_KINDS[kind or "goods"],
    )


def _bindings(node: Node, skus: Mapping[str, Sku], channels: Collection[str] | None) -> tuple[Binding, ...]:
    bindings: list[Binding] = []
    for number, row in enumerate(node.rows(), start=1):
        row.belongs_to(Text(f"binding {number}", f"第 {number} 条赠品绑定"))
        binding = _binding(row, skus, channels)
        twin = next((i for i, other in enumerate(bindings, 1) if _overlap(binding, other)), 0)
        if twin:
            row.problem(
                f"promises the same gift for the same main SKU, channel and time as binding {twin}; keep one",
                f"与第 {twin} 条绑定的主商品、赠品、渠道和时间重叠，请只保留一条",
            )
        bindings.append(binding)
    return tuple(bindings)


def _binding(row: Node, skus: Mapping[str, Sku], channels: Collection[str] | None) -> Binding:
    fields = row.mapping(_BINDING_FIELDS, required=("main", "gift"))
    main, gift = (
        fields[side].choice(skus, "a SKU of this catalogue", "本目录中的 SKU") if side in fields else ""
        for side in ("main", "gift")
    )
    if main and main == gift:
        row.problem(f"{main} can't be its own gift", f"{main} 不能是自己的赠品")
    start, end = None, None
    if "from" in fields or "to" in fields:
        start, end = read_window(fields, row) or (None, None)
    return Binding(
        main=main,
        gift=gift,
        per=fields["per"].integer(1, 10**6) if "per" in fields else 1,
        quantity=fields["quantity"].integer(1, 10**6) if "quantity" in fields else 1,
        channels=frozenset(read_channels(fields["channels"], channels)) if "channels" in fields else frozenset(),
        start=start,
        end=end,
    )


def _overlap(one: Binding, other: Binding) -> bool:
    if not one.main or (one.main, one.gift) != (other.main, other.gift):
        return False
    if one.channels and other.channels and not one.channels & other.channels:
        return False
    before = one.end is not None and other.start is not None and one.end <= other.start
    after = other.end is not None and one.start is not None and other.end <= one.start
    return not before and not after
