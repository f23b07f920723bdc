"""Mutants of what platforms send, through the whole pure way: envelope, template, normalize, tag, route, encoding."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path as FilePath
from random import Random
from types import FrameType
from typing import Any, Final, NamedTuple

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.registry import CHANNELS
from ops.testbed.fuzz.findings import Findings
from ops.testbed.fuzz.json_text import Raw, dumps
from ops.testbed.fuzz.mutations import Mutant, Path, paths_of
from ops.testbed.fuzz.samples import Sample, samples
from schemas.ids import order_uid
from schemas.order import LineStatus, Order, OrderStatus
from schemas.plan import PlannedOrder
from schemas.record import decode, encode
from schemas.topics import ORDERS_NORMALIZED, ORDERS_PLANNED, ORDERS_RAW
from workers.normalize.decide import decide as normalize
from workers.route.decide import decide as route
from workers.rules.catalogue import Catalogue
from workers.rules.loading import load_catalogue, load_ruleset
from workers.rules.ruleset import Ruleset
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery
from workers.runtime.wire import Encoder
from workers.tag.decide import decide as tag

SHOP: Final = "fuzz"
NOW: Final = datetime(2027, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS: Final = 20
_OF_BYTES: Final = 0.15
_OF_DECORATION: Final = 0.25
_MAY_DECIDE: Final = frozenset({"order_tag_list", "couponDetailList", "logistics_info"})
"""Decoration whose words may hold an order, or say how what was paid is shared out over its lines, or which of them
have left; an odd value must not refuse it all the same.
"""
_EXAMPLES: Final = FilePath(__file__).parents[2] / "docs" / "examples"
_HEADERS: Final = (("shop", SHOP.encode()), ("received-at", str(int(NOW.timestamp() * 1000)).encode()))
_WRITE: Final = Encoder([ORDERS_NORMALIZED, ORDERS_PLANNED])

_STATE_OF: Final = ("status", "payment", "lines", "paid", "modified_at", "holds")
_DECIDES: Final = re.compile("stat|cancel|clos|refund|type|financ|fulfil|pay|lock|pause|sign", re.IGNORECASE)

State = dict[str, tuple[object, ...]]


class Outcomes(NamedTuple):
    """`order`, or the code of a refusal, for each order of a body; what each order is; and which are cancelled."""

    codes: list[str]
    state: State
    cancelled: frozenset[str] = frozenset()


def try_mutants(channel: str, seed: int, numbers: Sequence[int]) -> Findings:
    """What becomes of these mutants. The same seed and number make the same mutant."""
    findings = Findings()
    for number in numbers:
        name = f"{channel}:{seed}:{number}"
        sample, mutant, is_decoration = _make(channel, name)
        state = try_one(channel, name, mutant, findings)
        if state is not None:
            _compare(channel, name, sample, mutant, state, findings, is_decoration=is_decoration)
    return findings


def mutant(channel: str, seed: int, number: int) -> Mutant:
    """One of them, to be looked at."""
    return _make(channel, f"{channel}:{seed}:{number}")[1]


def _make(channel: str, name: str) -> tuple[Sample, Mutant, bool]:
    """A sample, its mutant, and whether only decoration was touched."""
    random = Random(name)  # noqa: S311  # the same mutants again, no secret
    sample = random.choice(samples(channel))
    choice = random.random()
    if choice < _OF_BYTES:
        return sample, sample.mutator.bytewise(random), False
    if choice < _OF_BYTES + _OF_DECORATION and sample.decoration:
        return sample, sample.mutator.at(sample.decoration, random), True
    return sample, sample.mutator.structural(random), False


def try_one(channel: str, name: str, mutant: Mutant, findings: Findings) -> Outcomes | None:
    """One mutant through everything; None when what came out must not."""
    try:
        with findings.measured(name, len(mutant.body)), _patience():
            found = outcomes_of(channel, mutant.body)
    except Exception as error:  # noqa: BLE001  # that any exception comes out at all is the finding
        findings.crash(error, name)
        return None
    findings.note(found.codes[0] if len(found.codes) == 1 else f"{len(found.codes)} orders")
    return found


def _compare(
    channel: str,
    name: str,
    sample: Sample,
    mutant: Mutant,
    found: Outcomes,
    findings: Findings,
    *,
    is_decoration: bool,
) -> None:
    """Whether a mutant still means what it must: beside what became of its orders before it was changed."""
    before = _of_sample(channel, sample.name)
    if is_decoration:
        lost = _lost(before.state, found)
        may = lost.endswith("changed") and any(key in _MAY_DECIDE for key in mutant.changed[0])
        if lost and not may:
            findings.finding(f"decoration decides in {channel}, {_place(mutant)}: {lost}", name)
    elif mutant.changed and mutant.is_small:
        for uid, what in _untouched(sample, mutant, before).items():
            if found.state.get(uid) != what:
                findings.finding(f"a row hurts its neighbour in {channel}: {found.codes[0]}", name)
                break
        decides = any(_DECIDES.search(str(path[-1])) for path in mutant.changed)
        if not decides and before.cancelled & (found.state.keys() - found.cancelled):
            findings.finding(f"a cancelled order of {channel} lives: {_place(mutant)}", name)


def _untouched(sample: Sample, mutant: Mutant, before: Outcomes) -> State:
    """The orders of a page that all changes left alone, when they were in one row each."""
    page, uids = sample.rows, list(before.state)
    if page is None or len(uids) < 2 or before.codes != ["order"] * len(uids):
        return {}
    rows = {path[len(page)] for path in mutant.changed if len(path) > len(page) + 1 and path[: len(page)] == page}
    if any(path[: len(page)] != page or len(path) <= len(page) + 1 for path in mutant.changed):
        return {}
    return {uid: before.state[uid] for at, uid in enumerate(uids) if at not in rows}


@cache
def _of_sample(channel: str, name: str) -> Outcomes:
    return outcomes_of(channel, next(each.body for each in samples(channel) if each.name == name))


def _lost(before: State, found: Outcomes) -> str:
    """What a change of decoration did to the orders of a body: nothing, if all is well."""
    for uid, state in before.items():
        if uid not in found.state:
            return f"refused, {', '.join(sorted({each for each in found.codes if each != 'order'}))}"
        if found.state[uid] != state:
            return (
                next(name for name, was, now in zip(_STATE_OF, state, found.state[uid], strict=True) if was != now)
                + " changed"
            )
    return ""


def _place(mutant: Mutant) -> str:
    keys = [key for key in mutant.changed[0] if isinstance(key, str)]
    return ".".join(keys[-2:])


@cache
def _rules() -> tuple[Ruleset, Catalogue]:
    catalogue = load_catalogue((_EXAMPLES / "catalogue.yaml").read_bytes(), "catalogue.yaml", tuple(CHANNELS))
    return load_ruleset((_EXAMPLES / "rules.yaml").read_bytes(), "rules.yaml", catalogue, tuple(CHANNELS)), catalogue


def outcomes_of(channel: str, body: bytes) -> Outcomes:
    """What becomes of a body. Raises what is wrong."""
    adapter = CHANNELS[channel].adapter
    try:
        raws = adapter.open_envelope(body)
    except UnreadablePayload as error:
        _check_words(error.code, error.where)
        return Outcomes([error.code], {})
    except (ChannelRefused, ChannelUnavailable) as error:
        return Outcomes([type(error).__name__], {})
    codes: list[str] = []
    orders: dict[str, Order] = {}
    for raw in raws:
        uid = order_uid(channel, SHOP, raw.platform_order_id)
        try:
            order = normalize(_delivery(channel, uid, raw.payload), {channel: adapter})
        except PermanentError as error:
            for failure in error.failures:
                _check_words(error.reason, failure.where, failure.tell("en"), failure.tell("zh"))
            codes.append(error.reason)
            continue
        _check(order)
        codes.append("order")
        orders[uid] = order
    cancelled = frozenset(uid for uid, order in orders.items() if order.status is OrderStatus.CANCELLED)
    return Outcomes(codes or ["empty"], {uid: state_of(order) for uid, order in orders.items()}, cancelled)


def _delivery(channel: str, uid: str, payload: bytes) -> Delivery[bytes]:
    return Delivery(payload, uid.encode("utf-8", "replace"), _HEADERS, ORDERS_RAW.of(channel), 0, 0, 1)


def _check(order: Order) -> None:
    """It can be read again from the wire, and so can the plan that is made of it, which fits its topic."""
    _WRITE(order)
    if decode(Order, encode(order)) != order:
        raise AssertionError("an order is not what its wire form says")
    ruleset, catalogue = _rules()
    planned = route(tag(order, catalogue, ruleset.tagging), ruleset, NOW)
    _WRITE(planned)
    if decode(PlannedOrder, encode(planned)) != planned:
        raise AssertionError("a plan is not what its wire form says")


def state_of(order: Order) -> tuple[object, ...]:
    """What decides about goods and money."""
    lines = tuple(
        (line.sku, line.quantity, line.status is LineStatus.OPEN, line.refund, line.paid) for line in order.lines
    )
    return order.status, order.payment, lines, order.totals.paid, order.modified_at, order.holds


def _check_words(*words: str) -> None:
    """What is told about a refusal can be written down, and is short."""
    for word in words:
        word.encode()
        if len(word) > 2000:
            raise AssertionError("a refusal quotes its payload")


class _Patience:
    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.alarm(PATIENCE_SECONDS)

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, self._before)

    @staticmethod
    def _ring(_: int, __: FrameType | None) -> None:
        raise TimeoutError


_patience: Callable[[], _Patience] = _Patience


# -- bombs ---------------------------------------------------------------------------------------------------------

FILLINGS: Final = (b"{}", b"null", b"[]", b"0", b'""', b'{"a":1}', b'{"id":1,"name":"x"}', b"[[]]")


def bombs(channel: str, size: int, most: int) -> Iterator[tuple[str, bytes]]:
    """Bodies with `size` bytes of nothing much in one of their lists or objects; the shallow places first."""
    places = sorted(((len(path), each.name, path) for each in samples(channel)[:4] for path in _places(each)), key=str)
    step = max(1, len(places) * len(FILLINGS) // most)
    every = [(name, path, filling) for _, name, path in places for filling in FILLINGS][::step]
    for name, path, filling in every:
        document = json.loads(next(each.body for each in samples(channel) if each.name == name))
        here = document
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = Raw("[" + ",".join([filling.decode()] * (size // (len(filling) + 1))) + "]")
        yield f"{channel}/{name}/{'.'.join(map(str, path))}/{filling.decode()}", dumps(document).encode()
    yield f"{channel}/brackets", b"[" * size
    yield f"{channel}/pairs", b'{"a":' * (size // 5)
    yield f"{channel}/rows", b"[" + b",".join([b"{}"] * (size // 3)) + b"]"
    yield f"{channel}/text", b'"' + b"x" * size + b'"'
    yield f"{channel}/number", b"9" * size
    yield f"{channel}/keys", b"{" + b",".join(b'"%d":0' % at for at in range(size // 12)) + b"}"


def _places(sample: Sample) -> list[Path]:
    document = json.loads(sample.body)
    return [path for path in paths_of(document) if isinstance(_at(document, path), list | dict)]


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document
