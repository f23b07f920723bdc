"""The prefix that lets two fleets share a Kafka and a Redis: before every topic, consumer group and key.

A process works for one fleet: the prefix is set once, when its settings are read (`ORDERFLEET_PREFIX`), and stays. ""
is the default: names are as the tables say.
"""

from __future__ import annotations

PREFIX_PATTERN = r"([a-z0-9][a-z0-9-]{0,29})?"
"""No dot, so that prefix and name are told apart; nothing that means something in a pattern of SCAN."""

_prefix = ""


def use_prefix(prefix: str) -> None:
    """Have all names of this process begin with the prefix and a dot, or with nothing."""
    global _prefix  # the one fact about a process that its names depend on
    _prefix = f"{prefix}." if prefix else ""


def prefix() -> str:
    """As it was set."""
    return _prefix[:-1]


def prefixed(name: str) -> str:
    """The name on a server: `orders.raw` -> `tmall.orders.raw`."""
    return _prefix + name


def unprefixed(name: str) -> str:
    """The name in our tables: `tmall.orders.raw` -> `orders.raw`."""
    return name.removeprefix(_prefix)
