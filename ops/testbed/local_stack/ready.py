"""Whether a broker is up, asked as a client asks."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def brokers_listed(address: str, timeout: float = 1.0) -> int:
    """How many brokers the one at this address knows of; 0 when it does not answer in `timeout` seconds."""
    host, _, port = address.rpartition(":")
    if not listens(host, int(port)):
        return 0
    try:
        return len(AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=timeout).brokers)
    except KafkaException:
        return 0


def wait_for(true: Callable[[], bool], seconds: float, alive: Callable[[], bool] = lambda: True) -> bool:
    """Poll until it holds. False at the deadline, or as soon as `alive` says that there is nothing to wait for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive():
        if true():
            return True
        time.sleep(0.05)
    return False
