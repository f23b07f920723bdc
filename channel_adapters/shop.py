"""One account on one channel: how to reach it, with which secrets, and what its owner has set about its orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from schemas.ids import Slug
from schemas.order import OrderStatus

_DURATION: Final = re.compile(r"(\d{1,5})\s*([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> timedelta:
    """`30m`, `36h`, `7d`."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("a_duration", "should be a time such as 30m, 36h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _word(value: Any) -> Any:
    """A platform's word, also as a number, or `field=word`; blanks round either are cut, as they are of what is read.

    What YAML takes for a yes is ambiguous, and refused; so is no word: it would speak of every status that is missing.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    field_name, equals, word = (part.strip() for part in value.rpartition("="))
    if not word or (equals and not field_name):
        raise PydanticCustomError("a_word", "should be a word of the platform, or field=word")
    return f"{field_name}{equals}{word}"


@dataclass(frozen=True, slots=True)
class ShopPolicy:
    """What a shop's owner has set about reading its orders. No secrets."""

    status_words: Mapping[str, OrderStatus] = field(default_factory=lambda: MappingProxyType({}))
    """What a word of a plugin or of the platform means, or `field=word`: asked before our tables. See meaning_of."""
    fulfilled_elsewhere: frozenset[str] | None = None
    """Fulfilment services, as the platform names them, that are not ours: their lines are neither stocked nor sent.

    None: all but those that the platform calls manual.
    """
    captures_on_fulfilment: bool = False
    """An authorised payment is good to ship: the shop takes the money when the parcel goes."""
    unpaid_hold: Mapping[str, timedelta] = field(default_factory=lambda: MappingProxyType({}))
    """How long after it was placed an unpaid order keeps its stock, by `status/payment method`, `status` or `*`."""

    def meaning_of(self, word: object, field: str) -> OrderStatus | None:
        """What a word means in this field of the platform; None when the owner has not said.

        `refund_status=3` speaks of that field alone and goes first; `3` of every field, for most words are of one.
        """
        words = self.status_words
        if not words:
            return None
        text = str(word).strip()
        for key in (f"{field}={text}", f"{field.rpartition('.')[2]}={text}", text):
            if key in words:
                return words[key]
        return None

    def unpaid_until(
        self, placed_at: datetime, status: str, method: str, defaults: Mapping[str, timedelta]
    ) -> datetime | None:
        """When an unpaid order's stock goes back at the latest; None: after the time that is set for all orders."""
        for table in (self.unpaid_hold, defaults):
            for key in (f"{status}/{method}", status, "*"):
                if key in table:
                    return placed_at + table[key]
        return None


NOTHING_SET: Final = ShopPolicy()


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose orders are read, and what its owner has set."""

    shop_id: Slug
    policy: ShopPolicy = NOTHING_SET


class ShopSettings(BaseModel):
    """Read from the settings; secrets never leave it except to sign. Each channel uses the fields that it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Slug
    shop_id: Slug
    base_url: str  # scheme, host and, where a platform has one fixed gateway path, nothing else
    app_key: str = ""
    app_secret: SecretStr = SecretStr("")
    access_token: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")
    poll_seconds: float = Field(600.0, gt=0, allow_inf_nan=False)
    overlap_seconds: float = Field(60.0, ge=0, allow_inf_nan=False)
    settle_seconds: float | None = Field(None, ge=0, allow_inf_nan=False)  # None: what the platform advises
    page_size: int | None = Field(None, ge=1)  # None: what the platform advises
    status_words: dict[Annotated[str, BeforeValidator(_word)], OrderStatus] = {}
    fulfilled_elsewhere: frozenset[str] | None = None
    captures_on_fulfilment: bool = False
    unpaid_hold: dict[str, Annotated[timedelta, BeforeValidator(_duration)]] = {}

    @property
    def policy(self) -> ShopPolicy:
        """What of this concerns the reading of orders. See ShopPolicy."""
        return ShopPolicy(
            status_words=MappingProxyType(dict(self.status_words)),
            fulfilled_elsewhere=self.fulfilled_elsewhere,
            captures_on_fulfilment=self.captures_on_fulfilment,
            unpaid_hold=MappingProxyType(dict(self.unpaid_hold)),
        )

    @property
    def push_secret(self) -> str:
        """What pushes are signed with: the webhook's own secret, else the app's. "" = pushes cannot be checked."""
        return self.webhook_secret.get_secret_value() or self.app_secret.get_secret_value()
