"""What every channel gives us, and the errors it may raise.

A channel is two things: a *format* (`ChannelAdapter`: pure, from bytes to orders) and a *client* (`ChannelClient`: one
shop's pull API over httpx). The format knows nothing of networks, the client nothing of our order model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import Explanation, in_both, render
from schemas.order import Order
from schemas.text import Text

Headers = Mapping[str, str]
"""HTTP headers, names in lower case, and the request's path with its query as `:path`: some platforms sign in there."""


# -- errors --------------------------------------------------------------------------------------------------------
#
#   ChannelError
#   ├── UnreadablePayload     the bytes do not say what the format promises: quarantine, try the next template
#   │   └── OrderHint         they say that something happened to an order: read it soon
#   ├── ForgedRequest         a signature is missing or wrong: refuse, answer 401
#   ├── ChannelRefused        the platform says our request is wrong: an operator must act, do not retry
#   └── ChannelUnavailable    the platform cannot answer now: retry after `retry_after`


class ChannelError(Exception):
    """Root of what a channel may raise. Its text names fields and codes, never values of personal fields."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self._text = text

    @property
    def text(self) -> Text:
        """What happened and what to do, in both languages."""
        return self._text


class UnreadablePayload(ChannelError):
    """A payload does not fit the format. `where` is the path of the field at fault, "" for the whole."""

    def __init__(self, code: str, where: str, explanation: Explanation) -> None:
        Exception.__init__(self, code, where)  # nearly all are caught where they are raised: no sentence is made
        self.code = code
        self.where = where
        self.explanation = explanation

    @property
    def text(self) -> Text:
        """What is wrong, in both languages."""
        return in_both(self.explanation)

    def __str__(self) -> str:
        return render(self.explanation, "en")

    def inside(self, where: str) -> UnreadablePayload:
        """The same, seen from one level up: "price" inside "lines.3" is "lines.3.price"."""
        return UnreadablePayload(self.code, f"{where}.{self.where}", self.explanation)


class OrderHint(UnreadablePayload):
    """A message of the platform that holds no order, but says that something happened to one: it is to be read soon.

    `order_ids`: which, as far as the message tells. Whatever is neither an order nor such a message is a plain
    UnreadablePayload, and is kept.
    """

    def __init__(self, explanation: Explanation, order_ids: Sequence[str] = ()) -> None:
        super().__init__("not-an-order", "", explanation)
        self.order_ids = tuple(order_ids)

    def inside(self, where: str) -> OrderHint:
        """A hint has no place in a field."""
        return self


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

    def read(self, payload: bytes, shop: Shop) -> Order:
        """The order this object describes, `revision` set (schemas.revision), as the shop's owner wants it read. Pure.

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

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuse what the headers alone show to be forged, so that its body need not be read: no signature or none of
        the platform's form, another app's id, a platform that pushes nothing. Raises ForgedRequest.
        """
        ...

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """What no template can read, when its bytes say at the least that the order is cancelled, closed or refunded:
        the cancelled order, without lines. None for everything else. Asked after all templates.
        """
        ...

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Check a webhook's signature over its raw bytes, in constant time. Raises ForgedRequest."""
        ...


@runtime_checkable
class TellsDeletions(Protocol):
    """A format whose pushes may say that an order was deleted. Optional."""

    def deleted_order(self, headers: Headers, body: bytes) -> str | None:
        """The id of the order that a verified push says was deleted; None for every other push."""
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


@runtime_checkable
class ReadsById(Protocol):
    """A client that reads orders by id. Optional: for platforms whose modify time does not tell every change.

    Both raise ChannelUnavailable, ChannelRefused, UnreadablePayload.
    """

    @property
    def most_ids(self) -> int:
        """How many one call may ask for."""
        ...

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[RawOrder]:
        """Those that the platform lists. That one is missing proves nothing yet: see `order_by_id`."""
        ...

    async def order_by_id(self, order_id: str) -> RawOrder | None:
        """One order; None only when the platform itself says that it has none of this id, or has it in its trash."""
        ...


@runtime_checkable
class RenewsToken(Protocol):
    """A client whose access token ends and can be had anew. Optional."""

    async def renew_token(self) -> bool:
        """Use a new access token from now on; False when an operator must authorise the shop again.

        Raises ChannelUnavailable, ChannelRefused.
        """
        ...
