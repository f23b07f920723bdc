"""What every page is: a class that is made for one visitor, draws itself, and asks the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from fastapi import Request
from nicegui import ui

from ops.console.asking import DeskCounter
from ops.console.visit import Visit
from schemas.text import Text
from workers.admin.desk.access import RULES, Actor, Deed, may
from workers.admin.desk.desk import Desk

T = TypeVar("T")


class Page:
    """One page for one visitor. It decides nothing: what it shows and does are calls of the desk."""

    narrow: ClassVar[bool] = False
    """Whether it keeps to a readable width."""

    def __init__(self, counter: DeskCounter, visit: Visit, request: Request) -> None:
        self.counter, self.visit, self.request = counter, visit, request
        self.client = ui.context.client

    async def build(self) -> None:
        """Draw it, inside the frame. Raises Trouble, which is shown in its place."""
        raise NotImplementedError

    def say(self, text: Text) -> str:
        """In the visitor's language."""
        return self.visit.say(text)

    async def ask(self, question: Callable[[Desk, Actor], T], *, used: bool = True) -> T:
        """What the desk answers. Raises Trouble. See `DeskCounter.ask`."""
        return await self.counter.ask(self.client, question, used=used)

    def may(self, deed: Deed) -> bool:
        """Whether the visitor's role allows a deed. For what is drawn: the desk checks each deed itself."""
        return self.visit.actor is not None and may(self.visit.actor.role, RULES[deed].least)

    def path(self, path: str) -> str:
        """A path of the console as the browser must ask for it."""
        return f"{self.visit.prefix}{path}"


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of the table of pages. `deed`: who may do it sees the page. `menu`: None where it is no item of its own."""

    path: str
    title: Text
    help: Text
    deed: Deed
    page: type[Page]
    icon: str = ""  # of Material Icons; "": not in the menu
    under: str = ""  # the menu's item that is lit, when it is not its own
