"""Fetch requests and their answers, packed and read in one go.

aiokafka names every partition in every fetch and walks through the answer field by field, at some seven microseconds
a partition and fetch, whether there is something new in it or not. A worker that reads 24 partitions of six channels
pays a millisecond and more for each fetch, twenty times a second when nothing happens.

It also fetches on as long as any partition has nothing unread, so that a backlog ends up in memory, some MB of each.

How bytes become values is ours, and that nothing is fetched while much lies unread: what to fetch, and what an answer
means, stays aiokafka's business. So do brokers that speak an older protocol. Holds for aiokafka 0.14;
tests/workers/runtime/faust_bridge/test_fetching.py proves it against aiokafka's own reading.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from io import BytesIO
from struct import Struct
from time import monotonic
from typing import Any, Final

from aiokafka.protocol.fetch import FetchRequest_v11

_HEAD: Final = Struct(">iiiibii")
_WANTED: Final = Struct(">iiqqi")
_ANSWER_HEAD: Final = Struct(">ihii")
_FOUND: Final = Struct(">ihqqqiii")
"""A partition without aborted transactions, up to its records; with some, they stand before the last two fields."""
_ABORTED: Final = Struct(">qq")
_REST: Final = Struct(">ii")
_COUNT: Final = Struct(">i")
_LENGTH: Final = Struct(">h")

States = Callable[[tuple[str, int]], Any]
"""aiokafka's state of a (topic, partition)."""


MOST_UNREAD: Final = 16
"""From so many partitions with something unread on, nothing is fetched. What one fetch brings is limited in bytes."""


PAUSE_SECONDS: Final = 0.02
"""From one fetch of a broker to the next, at least. What comes up meanwhile costs no fetch of its own."""


def fetch_quickly(fetcher: Any) -> None:
    """Have this aiokafka Fetcher pack and read its fetches our way. Call it before it has partitions."""
    process, plan = fetcher._proc_fetch_request, fetcher._get_actions_per_node
    next_at: dict[int, float] = {}  # when a broker may be asked again

    def planned(assignment: Any) -> tuple[Any, ...]:
        """Fetches, and the rest of what is to be done. aiokafka asks again when a partition has been read."""
        fetches, *rest = plan(assignment)
        return [] if len(fetcher._records) >= MOST_UNREAD else fetches, *rest

    async def quick(assignment: Any, node_id: int, request: Any) -> bool:
        if (pause := next_at.get(node_id, 0.0) - monotonic()) > 0:
            await sleep(pause)
        next_at[node_id] = monotonic() + PAUSE_SECONDS
        return bool(await process(assignment, node_id, QuickFetch(request, assignment.state_value)))

    fetcher._proc_fetch_request = quick
    fetcher._get_actions_per_node = planned


class QuickFetch:
    """Stands in for an aiokafka FetchRequest."""

    def __init__(self, request: Any, states: States) -> None:
        self._request = request
        self._states = states
        self.topics = request.topics

    def prepare(self, versions: Any) -> Any:
        """What is sent to a broker of these versions."""
        stock = self._request.prepare(versions)
        return _Prepared(stock, self._states) if type(stock) is FetchRequest_v11 else stock


class _Prepared:
    """Stands in for an aiokafka FetchRequest_v11."""

    def __init__(self, stock: FetchRequest_v11, states: States) -> None:
        self._stock: Any = stock
        self.build_request_header = stock.build_request_header
        self.parse_response_header = stock.parse_response_header
        self.RESPONSE_TYPE = AnswerReader(states)

    def __repr__(self) -> str:
        return repr(self._stock)

    def encode(self) -> bytes:
        """The body of the request."""
        stock = self._stock
        head = (stock.replica_id, stock.max_wait_time, stock.min_bytes, stock.max_bytes, stock.isolation_level)
        parts = [_HEAD.pack(*head, stock.session_id, stock.session_epoch), _COUNT.pack(len(stock.topics))]
        for topic, partitions in stock.topics:
            parts += _text(topic), _COUNT.pack(len(partitions))
            parts += [_WANTED.pack(*wanted) for wanted in partitions]
        return b"".join([*parts, _COUNT.pack(0), _text(stock.rack_id)])


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


class Answer:
    """Stands in for an aiokafka FetchResponse_v11, without the partitions of which nothing new is told."""

    API_VERSION: Final = 11

    def __init__(self, topics: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        self.topics = topics


class AnswerReader:
    """Stands in for the class FetchResponse_v11."""

    def __init__(self, states: States) -> None:
        self._states = states

    def decode(self, body: BytesIO) -> Answer:
        """Read what follows the header. Raises struct.error, EOFError or UnicodeDecodeError when it ends early."""
        data, at = body.getvalue(), body.tell()
        *_, count = _ANSWER_HEAD.unpack_from(data, at)
        at += _ANSWER_HEAD.size
        topics = []
        for _ in range(count):
            topic, at = _name(data, at)
            told, at = self._partitions(topic, data, at)
            topics.append((topic, told))
        return Answer(topics)

    def _partitions(self, topic: str, data: bytes, at: int) -> tuple[list[tuple[Any, ...]], int]:
        """What is told of one topic, and where the next one begins."""
        [count] = _COUNT.unpack_from(data, at)
        at += _COUNT.size
        told: list[tuple[Any, ...]] = []
        found, states = _FOUND.unpack_from, self._states
        for _ in range(count):
            partition, error, highwater, stable, start, aborted, replica, size = found(data, at)
            if error == 0 and aborted <= 0 and size <= 0:
                at += _FOUND.size
                state = states((topic, partition))
                if state.highwater == highwater and state.lso == stable:
                    continue
                told.append((partition, error, highwater, stable, start, [], replica, b""))
            else:
                rest, at = _rest(data, at, aborted)
                told.append((partition, error, highwater, stable, start, *rest))
        return told, at


def _name(data: bytes, at: int) -> tuple[str, int]:
    [length] = _LENGTH.unpack_from(data, at)
    at += _LENGTH.size
    return data[at : at + length].decode(), at + length


def _rest(data: bytes, at: int, count: int) -> tuple[tuple[Any, ...], int]:
    """Aborted transactions, preferred replica and records of the partition that begins here, and where it ends."""
    at += _FOUND.size - _REST.size
    aborted = []
    for _ in range(count):
        aborted.append(_ABORTED.unpack_from(data, at))
        at += _ABORTED.size
    replica, size = _REST.unpack_from(data, at)
    at += _REST.size
    end = at + max(0, size)
    if end > len(data):
        raise EOFError("the answer to a fetch ends within a partition's records")
    return (aborted, replica, data[at:end]), end
