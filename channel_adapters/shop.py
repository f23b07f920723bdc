"""One account on one channel: how to reach it and with which secrets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr

from schemas.ids import Slug


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
    poll_seconds: float = 600.0
    overlap_seconds: float = 60.0
    settle_seconds: float | None = None  # None: what the platform advises
    page_size: int | None = None  # None: what the platform advises

    @property
    def push_secret(self) -> str:
        """What pushes are signed with: the webhook's own secret, else the app's. "" = pushes cannot be checked."""
        return self.webhook_secret.get_secret_value() or self.app_secret.get_secret_value()
