"""A message on its way to a person, through apprise: mail, DingTalk, WeCom, Feishu, a webhook.

apprise blocks, and may do so for long: each message has a thread of its own, which nobody waits for at the end of the
process. Its log is shut, as an address is a secret.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import SecretStr

SECONDS: Final = 30.0
"""So long may a message take."""

_apprise_logger: Final = logging.getLogger("apprise")

Send = Callable[[SecretStr, str, str], Awaitable[None]]
"""Send to this address: title, body. Raises NotSent."""


class NotSent(Exception):
    """The message may not have arrived. Its text is one word, and never the address."""


async def send(url: SecretStr, title: str, body: str) -> None:
    """Return when whoever delivers it has taken the message. Raises NotSent."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def tell(why: str) -> None:
        if not done.done():
            done.set_result(why)

    def work() -> None:
        why = _sent(url.get_secret_value(), title, body)
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, why)

    threading.Thread(target=work, name="a notice", daemon=True).start()
    try:
        async with asyncio.timeout(SECONDS):
            why = await done
    except TimeoutError:
        raise NotSent("too-slow") from None
    if why:
        raise NotSent(why)


def _sent(url: str, title: str, body: str) -> str:
    """Why it was not sent; "" = it was."""
    try:
        import apprise

        _apprise_logger.disabled = True
        service = apprise.Apprise()
        if not service.add(url):
            return "address-unusable"
        return "" if service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT) else "refused"
    except Exception as error:  # noqa: BLE001  # a plugin of apprise may raise anything; it is tried again
        return type(error).__name__
