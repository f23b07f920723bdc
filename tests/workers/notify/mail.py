"""A real mail server for the tests, which can go away and come back on its port."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

from aiosmtpd.controller import Controller

from ops.testbed.local_stack.ports import free_port


@dataclass(frozen=True)
class Mail:
    """A mail as somebody reads it."""

    to: str
    subject: str
    body: str


class MailServer:
    """Takes every mail. `mails`: all of them, the oldest first."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[Mail] = []
        self._controller: Controller | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """A mail came."""
        mail = message_from_bytes(envelope.content)
        text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
        payload = text.get_payload(decode=True)
        assert isinstance(payload, bytes)
        subject = str(make_header(decode_header(mail["Subject"])))
        self.mails.append(Mail(envelope.rcpt_tos[0], subject, payload.decode()))
        return "250 OK"

    def start(self) -> None:
        """Listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Go away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def url(self, to: str = "ops") -> str:
        """The address of one of its users, for apprise."""
        return f"mailto://127.0.0.1:{self.port}?from=fleet@shop.example&to={to}@shop.example&format=text"
