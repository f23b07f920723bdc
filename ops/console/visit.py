"""Who looks at a page, from where and in which language. The gate finds it out; pages and routes read it."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from schemas.text import Language, Text
from workers.admin.desk.access import Actor

VISIT: Final = "orderfleet.visit"
"""In the scope of a request."""

LANGUAGE: ContextVar[Language] = ContextVar("language", default="zh")
"""Of the HTTP request that is being answered: NiceGUI asks for it before there is a page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor. `actor`: as they stood when the page was asked for; at each deed they are looked up anew."""

    language: Language
    origin: str  # their address
    prefix: str  # before all paths: "" or "/orders"
    key: str = ""  # of their session
    actor: Actor | None = None

    def say(self, text: Text) -> str:
        """In their language."""
        return text.tell(self.language)


def visit_of(scope: MutableMapping[str, Any]) -> Visit:
    """Whose request it is."""
    found: Visit = scope[VISIT]
    return found
