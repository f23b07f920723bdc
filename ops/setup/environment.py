"""Makes the environment that everything runs in, whatever state an earlier attempt left it in.

Runs before anything is installed: the standard library only. It is called at each `make`, so it first looks whether
there is anything to do. Two calls at once make one set-up; after an interrupted one the next begins afresh.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parents[2]
MEGABYTES_NEEDED: Final = 700  # on the disk: the packages take half of it, pip's downloads the rest for a while

# Settings of pip that would send packages elsewhere than into the environment. Mirrors and proxies stay as they are.
ELSEWHERE: Final = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_DEPS", "PIP_PYTHON")
ASK: Final = (  # by its bytes: that Python may take them for other characters than we do
    "import json, os, sys, sysconfig; packages = os.fsencode(sysconfig.get_path('purelib'));"
    "print(json.dumps([list(sys.version_info[:2]), packages.hex()]))"
)


class Refused(Exception):
    """What is wrong with this machine and what to do, in English and Chinese."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(f"{english}\n{chinese}")


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment in `folder` with what `lock` names. `module`: what its `orderfleet` command runs."""

    folder: Path
    lock: Path
    module: str | None

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def ready(self) -> Path:
        """Says what was installed, once all of it was."""
        return self.folder / ".ready"

    @property
    def begun(self) -> Path:
        """Is there while something is being installed: who finds it finds half an environment."""
        return self.folder / ".begun"

    def wanted(self) -> str:
        """What `ready` says when there is nothing to do: a moved checkout and a changed lock make another."""
        digest = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        paths = {"checkout": _spelled(ROOT), "folder": _spelled(self.folder)}
        return json.dumps({"lock": digest, **paths, "module": self.module})

    def is_ready(self, version: tuple[int, int] | None) -> bool:
        """Whether there is nothing to do. `version`: the Python it must have; None: any that still runs."""
        try:
            if self.begun.exists() or self.ready.read_text(encoding="utf-8") != self.wanted():
                return False
        except (OSError, UnicodeDecodeError):
            return False
        return self.known(version) is not None

    def known(self, version: tuple[int, int] | None = None) -> str | None:
        """Where its packages lie; None when its Python does not run, is too old, or not of that version."""
        try:
            answer = subprocess.run([self.python, "-I", "-c", ASK], capture_output=True, check=True).stdout
            found, packages = json.loads(answer)
        except (OSError, subprocess.CalledProcessError, ValueError):
            return None
        if tuple(found) < (3, 11) or (version is not None and tuple(found) != version):
            return None
        return os.fsdecode(bytes.fromhex(packages))


def _spelled(path: Path) -> str:
    """A path by its bytes: what it is as a text depends on the locale, and on whether Python is in its UTF-8 mode."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def set_up(environment: Environment, version: tuple[int, int] | None) -> None:
    """Make it, mend it, or leave it as it is. Raises Refused."""
    if environment.is_ready(version):
        return
    with _alone(environment.folder):
        if environment.is_ready(version):  # made while we waited
            return
        _clear_what_is_broken(environment, version)
        if environment.known() is None:
            _create(environment)
        environment.begun.touch()
        _install(environment)
        _show_checkout(environment)
        environment.ready.write_text(environment.wanted(), encoding="utf-8")
        environment.begun.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else sets up this environment meanwhile."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(folder.with_name(f"{folder.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(
            f"{folder.parent} cannot be written to ({error.strerror}). Put the environment elsewhere: "
            "make VENV=$HOME/.cache/orderfleet-venv ...",
            f"无法写入 {folder.parent}（{error.strerror}）。请把环境放到别处："
            "make VENV=$HOME/.cache/orderfleet-venv ...",
        ) from error
    try:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another set-up is at work here; waiting for it ...", "另一个安装正在进行，等待其完成……")
            fcntl.flock(guard, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(guard)


def _clear_what_is_broken(environment: Environment, version: tuple[int, int] | None) -> None:
    """Take away half an environment, one whose Python is gone, and one of another Python than was asked for."""
    folder = environment.folder
    if folder.is_symlink() and environment.known(version) is None:
        raise Refused(
            f"{folder} is a link, and there is no Python that works behind it. Remove the link, then run make again.",
            f"{folder} 是一个链接，其指向处没有可用的 Python。请删除该链接后重新运行 make。",
        )
    if not folder.exists():
        return
    if not environment.begun.exists() and environment.known(version) is not None and _has_pip(environment):
        return
    ours = environment.begun.exists() or (folder / "pyvenv.cfg").exists() or not any(folder.iterdir())
    if not ours:
        raise Refused(
            f"{folder} is there, but is no Python environment. Move it away, or use another: make VENV=...",
            f"{folder} 已存在，但不是 Python 环境。请将其移走，或另行指定：make VENV=...",
        )
    _say(
        f"{folder} is from an interrupted set-up or another Python: making it anew ...",
        f"{folder} 来自中断的安装或另一个 Python：正在重建……",
    )
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise Refused(
            f"{error.filename} cannot be removed ({error.strerror}). Remove {folder} by hand, then run make again.",
            f"无法删除 {error.filename}（{error.strerror}）。请手动删除 {folder} 后重新运行 make。",
        ) from error


def _has_pip(environment: Environment) -> bool:
    return subprocess.run([environment.python, "-I", "-m", "pip", "--version"], capture_output=True).returncode == 0


def _create(environment: Environment) -> None:
    try:
        import ensurepip  # noqa: F401  # Debian and Ubuntu keep it in a package of its own
        import venv
    except ImportError as error:
        short = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Refused(
            f"Python {short} ({sys.executable}) has no {error.name}. Debian, Ubuntu: apt install python3-venv "
            f"(or python{short}-venv), then run make again.",
            f"Python {short}（{sys.executable}）缺少 {error.name}。Debian、Ubuntu 请运行 apt install python3-venv"
            f"（或 python{short}-venv），然后重新运行 make。",
        ) from error
    _check_room(environment.folder.parent)
    environment.folder.mkdir(parents=True)
    environment.begun.touch()
    try:
        venv.create(environment.folder, with_pip=True, symlinks=True)
    except (OSError, UnicodeError, subprocess.CalledProcessError) as error:  # a folder whose name is not UTF-8
        raise Refused(
            f"{sys.executable} cannot make an environment in {environment.folder}: {error}",
            f"{sys.executable} 无法在 {environment.folder} 创建环境：{error}",
        ) from error


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < MEGABYTES_NEEDED:
        raise Refused(
            f"{folder} has {free} MB free; the set-up needs {MEGABYTES_NEEDED} MB. Make room, or put the environment "
            "on another disk: make VENV=/path/to/venv ...",
            f"{folder} 只剩 {free} MB；安装需要 {MEGABYTES_NEEDED} MB。请清理空间，或把环境放到另一块磁盘："
            "make VENV=/path/to/venv ...",
        )


def _install(environment: Environment) -> None:
    _say("Installing dependencies (once; about a minute) ...", "正在安装依赖（仅一次，约一分钟）……")
    python, lock = str(environment.python), str(environment.lock)
    command = [python, "-I", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
    ended = subprocess.run(command, env=_pip_settings(os.environ))
    if ended.returncode != 0:
        _check_room(environment.folder)
        raise Refused(
            "pip could not install the dependencies: its own words are above. Without a network, or behind a proxy, "
            "tell pip of it (HTTPS_PROXY, or a mirror: PIP_INDEX_URL); 'No matching distribution' on a system other "
            f"than Linux (glibc 2.28 or newer) and macOS: this is {sysconfig.get_platform()}, use docker-compose.yml. "
            "Then run make again.",
            "pip 未能安装依赖，原因见上。没有网络或在代理之后时，请设置 HTTPS_PROXY 或镜像 PIP_INDEX_URL；"
            "若提示 No matching distribution 而系统不是 Linux（glibc 2.28 及以上）或 macOS"
            f"（本机为 {sysconfig.get_platform()}），请改用 docker-compose.yml。然后重新运行 make。",
        )


def _pip_settings(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name not in ELSEWHERE}
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def _show_checkout(environment: Environment) -> None:
    """Let its Python import this checkout, and give it the command. The checkout may be read-only."""
    if environment.module is None:
        return
    packages = environment.known()
    assert packages is not None
    Path(packages, "orderfleet.pth").write_bytes(os.fsencode(ROOT) + b"\n")
    command = environment.folder / "bin" / "orderfleet"
    python = shlex.quote(str(environment.python))
    command.write_bytes(os.fsencode(f'#!/bin/sh\nexec {python} -P -m {environment.module} "$@"\n'))
    command.chmod(0o755)


def _say(english: str, chinese: str) -> None:
    print(f"{english} | {chinese}", file=sys.stderr, flush=True)  # noqa: T201  # before there is anything else


def main() -> NoReturn:
    """The entry point."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("folder", type=Path)
    asking.add_argument("lock", type=Path)
    asking.add_argument("module", nargs="?", help="what the environment's `orderfleet` command runs")
    asking.add_argument("--chosen", action="store_true", help="somebody asked for this very Python")
    told = asking.parse_args()
    folder = Path(os.path.abspath(told.folder))  # noqa: PTH100  # not through links: a venv may lie behind one
    environment = Environment(folder, told.lock, told.module)
    sys.stderr.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # whatever the locale says
    try:
        set_up(environment, sys.version_info[:2] if told.chosen else None)
    except Refused as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        _say("Interrupted: the next make begins anew.", "已中断：下次运行 make 将重新开始。")
        sys.exit(130)
    sys.exit(0)


if __name__ == "__main__":
    main()
