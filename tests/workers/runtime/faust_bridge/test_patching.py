"""aiokafka is changed where a client starts, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

STATE = """
    from aiokafka import errors
    from aiokafka.conn import AIOKafkaConnection
    from aiokafka.consumer import fetcher

    def state():
        return AIOKafkaConnection.send, fetcher.MemoryRecords, errors.for_code(87)

    stock = state()
"""
STARTS = {
    "a producer": """
        import asyncio
        from workers.runtime.kafka.producer import Producer

        async def start():
            producer = Producer("127.0.0.1:1")
            assert state() == stock
            producer.start()
            await producer.close()

        asyncio.run(start())
    """,
    "a reader": """
        import asyncio
        import topology
        from contextlib import suppress
        from workers.runtime.settings import Settings
        from workers.runtime.table import groups
        from workers.runtime.reader import Reader

        async def start():
            reader = Reader(groups(topology.STAGES)[0], ["a-topic"], None, Settings(kafka="127.0.0.1:1"))
            assert state() == stock
            reader.app.finalize = lambda: 1 / 0  # as far as this, and no further
            with suppress(ZeroDivisionError):
                await reader.start()

        asyncio.run(start())
    """,
}


def run(*parts: str) -> None:
    """In a process of its own: whatever ran before in this one has left its patches."""
    program = "\n".join(textwrap.dedent(part) for part in parts)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_an_import_changes_nothing() -> None:
    run(STATE, "import topology, workers.runtime.worker, workers.runtime.kafka.producer", "assert state() == stock")


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_who_starts_finds_everything_changed(start: str) -> None:
    run(STATE, start, "assert not set(map(id, state())) & set(map(id, stock)), state()")


def test_to_patch_twice_is_to_patch_once() -> None:
    patch = "from workers.runtime.faust_bridge.patching import patch_aiokafka; patch_aiokafka()"
    run(STATE, patch, "once = state()", patch, "assert state() == once != stock")
