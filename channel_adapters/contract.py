"""What every channel gives us, and the errors it may raise.

A channel is two things: a *format* (`ChannelAdapter`: pure, from bytes to orders) and a *client* (`ChannelClient`: one
shop's pull API over httpx). The format knows nothing of networks, the client nothing of our order model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from schemas.order import Order
from schemas.text import Text

Headers = Mapping[str, str]
"""HTTP headers, names in lower case, and the request's path with its query as `:path`: some platforms sign in there."""


# -- errors --------------------------------------------------------------------------------------------------------
#
#   ChannelError
#   ├── UnreadablePayload     the bytes do not say what the format promises: quarantine, try the next template
#   ├── ForgedRequest         a signature is missing or wrong: refuse, answer 401
#   ├── ChannelRefused        the platform says our request is wrong: an operator must act, do not retry
#   └── ChannelUnavailable    the platform cannot answer now: retry after `retry_after`


class ChannelError(Exception):
    """Root of what a channel may raise. Its text names fields and codes, never values of personal fields."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class UnreadablePayload(ChannelError):
    """A payload does not fit the format. `where` is the path of the field at fault, "" for the whole."""

    def __init__(self, code: str, where: str, text: Text) -> None:
        super().__init__(text)
        self.code = code
        self.where = where

    def inside(self, where: str) -> UnreadablePayload:
        """The same, seen from one level up: "price" inside "lines.3" is "lines.3.price"."""
        return UnreadablePayload(self.code, f"{where}.{self.where}", self.text)


class ForgedRequest(ChannelError):
    """A request that claims to come from the platform does not carry its signature."""


class ChannelRefused(ChannelError):
    """The platform refused: wrong key, expired session, missing permission. `code` is the platform's own."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(text)
        self.code = code


class ChannelUnavailable(ChannelError):
    """The platform is limiting us, down, or not understood by HTTP. `retry_after` in seconds, None = not told."""

    def __init__(self, text: Text, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


# -- format --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawOrder:
    """One platform order object, its bytes untouched, with what is needed to key it and to tell revisions apart."""

    platform_order_id: str
    modified_at: datetime | None  # None: the object does not say
    payload: bytes


class Template(Protocol):
    """One way to read a channel's order object. Templates are tried in order: the main one, then backups."""

    @property
    def name(self) -> str:
        """Short and stable: `fullinfo`, `list`. Recorded in `Order.source.template`."""
        ...

    def read(self, payload: bytes, shop_id: str) -> Order:
        """The order this object describes, `revision` set (schemas.revision). Pure.

        Raises UnreadablePayload.
        """
        ...


class ChannelAdapter(Protocol):
    """The format of one channel. Pure and stateless."""

    @property
    def channel(self) -> str:
        """Its name: `[a-z0-9-]+`."""
        ...

    @property
    def templates(self) -> Sequence[Template]:
        """At least one, the main one first."""
        ...

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """The order objects in any body this platform sends: a list page, a detail answer, a webhook, one bare order.

        Raises UnreadablePayload when it holds no order of this channel; ChannelRefused or ChannelUnavailable when it
        is the platform's own error message.
        """
        ...

    def verify(self, headers: Headers, body: bytes, secret: str) -> None:
        """Check a webhook's signature over its raw bytes, in constant time. Raises ForgedRequest."""
        ...


# -- client --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PollRules:
    """What the platform allows and advises for polling by modify time."""

    max_window: timedelta  # the longest modify-time window of one query
    page_size: int
    settle: timedelta = timedelta(0)  # a window must end this long before the platform's now, or orders are missed


@dataclass(frozen=True, slots=True)
class Window:
    """A span of platform modify time, both ends UTC, `end` exclusive."""

    start: datetime
    end: datetime


class ChannelClient(Protocol):
    """The pull API of one shop. Made by the channel's `client.py` from the shop's settings and an httpx.AsyncClient."""

    @property
    def rules(self) -> PollRules:
        """What the poller must keep to."""
        ...

    def orders_modified(self, window: Window) -> AsyncIterator[Sequence[RawOrder]]:
        """Every order modified in the window, page by page, as complete as the platform gives them.

        Walks pages in the direction the platform advises. An order may come twice. Raises ChannelUnavailable,
        ChannelRefused, UnreadablePayload.
        """
        ...
