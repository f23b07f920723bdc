"""What all our servers share: started as a child, stopped in order, killed as a crash would, used as contexts."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self

from ops.testbed.local_stack.process import stop


class Startable(ABC):
    """Runs within its context."""

    @abstractmethod
    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it in order."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class ServerProcess(Startable):
    """A server that is one child process."""

    stop_seconds: ClassVar[float] = 5.0
    """How long it may take to leave."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it in order; killed when it does not leave in time."""
        if self._process is not None:
            stop(self._process, patience=self.stop_seconds, by=self.stop_signal)
            self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
