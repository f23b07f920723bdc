"""Fields and buttons as all pages have them: dense, outlined, named for screen readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui


def field(label: str, value: str, changed: Callable[[Any], object], *, width: int = 160, icon: str = "") -> ui.input:
    """A text field that asks when its text has rested, and can be emptied."""
    made = ui.input(label=label, value=value, on_change=changed)
    made.props("dense outlined clearable debounce=300 hide-bottom-space").style(f"width: {width}px")
    if icon:
        with made.add_slot("prepend"):
            ui.icon(icon, size="16px")
    return made


def choice(
    label: str, options: Mapping[str, str], value: str | None, changed: Callable[[Any], object], *, width: int = 160
) -> ui.select:
    """One of several, or none."""
    known = dict(options) if value is None or value in options else {value: value, **options}
    made = ui.select(known, label=label, value=value, on_change=changed, clearable=True)
    made.props("dense outlined options-dense hide-bottom-space").style(f"width: {width}px")
    return made


def button(label: str, clicked: Callable[..., object], *, kind: str = "flat", icon: str | None = None) -> ui.button:
    """`kind`: unelevated for what the page is for, outline for the rest, flat for what is rare."""
    return ui.button(label, on_click=clicked, icon=icon).props(f"{kind} dense no-caps")
