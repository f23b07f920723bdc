"""The proxy really cuts, refuses, stalls and strands: clients of a real socket see what a broken network shows them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from ops.testbed.torture.proxy import Proxy, Trap


class Echo:
    """A server that gives back what it gets."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    echo = Echo()
    with Proxy(echo.port) as running:
        yield running
    echo.close()


def connect(proxy: Proxy, timeout: float = 5) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=timeout)


def echoed(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    got = b""
    while len(got) < len(data):
        part = client.recv(1 << 16)
        assert part, "closed"
        got += part
    return got


def test_it_passes_on_both_ways_however_much(proxy: Proxy) -> None:
    with connect(proxy) as client:
        assert echoed(client, b"hello") == b"hello"
        large = b"x" * 3_000_000
        sender = threading.Thread(target=client.sendall, args=(large,))
        sender.start()
        got = 0
        while got < len(large):
            got += len(client.recv(1 << 16))
        sender.join()


def test_a_cut_resets_open_connections_and_takes_new_ones(proxy: Proxy) -> None:
    with connect(proxy) as client:
        echoed(client, b"before")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with connect(proxy) as client:
        assert echoed(client, b"after") == b"after"


def test_a_refusing_proxy_is_a_closed_port_until_it_admits_again(proxy: Proxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.admit()
    assert proxy.port == port
    with connect(proxy) as client:
        assert echoed(client, b"again") == b"again"


def test_a_stall_holds_data_back_and_loses_none(proxy: Proxy) -> None:
    with connect(proxy, timeout=0.3) as old:
        echoed(old, b"before")
        proxy.stall()
        old.sendall(b"held")
        with pytest.raises(TimeoutError):
            old.recv(1)
        with connect(proxy, timeout=0.3) as new:
            new.sendall(b"new")
            with pytest.raises(TimeoutError):
                new.recv(1)
        proxy.flow()
        old.settimeout(5)
        assert old.recv(16) == b"held"


def test_a_stranded_connection_stays_silent_while_new_ones_work(proxy: Proxy) -> None:
    with connect(proxy, timeout=0.3) as old:
        echoed(old, b"before")
        proxy.strand()
        old.sendall(b"lost")
        with connect(proxy) as new:
            assert echoed(new, b"new") == b"new"
        with pytest.raises(TimeoutError):
            old.recv(1)


def is_answered(client: socket.socket, data: bytes) -> bool:
    client.settimeout(0.3)
    client.sendall(data)
    try:
        return client.recv(1 << 16) == data
    except TimeoutError:
        return False


def test_a_trap_springs_when_something_is_said_often_enough_and_from_then_on_when_it_is_said_at_all(
    proxy: Proxy,
) -> None:
    with connect(proxy) as caught, connect(proxy) as other:
        proxy.set_trap(Trap(b"settle", times=2, heard=False))
        assert is_answered(caught, b"settle")
        assert not is_answered(caught, b"settle, settle")
        assert not is_answered(caught, b"anything")
        assert is_answered(other, b"anything")
        assert not is_answered(other, b"settle")
        proxy.set_trap(None)
        with connect(proxy) as new:
            assert is_answered(new, b"settle, settle")


def test_a_trap_may_lose_the_answer_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Proxy(server.getsockname()[1]) as proxy:
        proxy.set_trap(Trap(b"settle", times=1, heard=True))
        with connect(proxy, timeout=0.3) as client:
            client.sendall(b"settle")
            accepted, _ = server.accept()
            with accepted:
                accepted.settimeout(5)
                assert accepted.recv(16) == b"settle"
                accepted.sendall(b"settled")
                with pytest.raises(TimeoutError):
                    client.recv(1)


def test_a_dead_server_is_a_closed_connection() -> None:
    # The reset may come before the client has seen that it was let in.
    with Proxy(1) as proxy, pytest.raises((ConnectionResetError, BrokenPipeError)), connect(proxy) as client:
        echoed(client, b"anyone?")
