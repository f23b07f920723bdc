"""`make wheels`: asks pip, for every machine the README names, whether each package of the lock comes ready-built.

Prints a table; exits with 1 when something is missing that would need a compiler there.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from packaging.requirements import Requirement

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
# What pip is told a machine takes, best first. Linux: glibc 2.28 or newer, as Debian 10 and Ubuntu 20.04 have.
_LINUX: Final = (
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_26",
    "manylinux_2_24",
    "manylinux_2_17",
    "manylinux2014",
)
PLATFORMS: Final[Mapping[str, tuple[tuple[str, ...], dict[str, str]]]] = {
    "Linux x86_64": (
        (*(f"{one}_x86_64" for one in _LINUX), "manylinux2010_x86_64", "manylinux1_x86_64"),
        {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    ),
    "Linux aarch64": (
        tuple(f"{one}_aarch64" for one in _LINUX),
        {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
    ),
    "macOS arm64": (
        tuple(f"macosx_{major}_0_{kind}" for kind in ("arm64", "universal2") for major in (14, 13, 12, 11)),
        {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    ),
}
BUILDS_WITHOUT_COMPILER: Final = {
    "faust-streaming": "its source builds without a compiler, a little slower | 源码无需编译器即可安装，速度略低",
}
_MISSING: Final = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)==")


class Machine(NamedTuple):
    """A Python on a platform."""

    platform: str
    python: str


def requirements(lock: str) -> list[Requirement]:
    """What a lock names, hashes left out."""
    lines = (line.rstrip("\\ \n") for line in lock.splitlines())
    return [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]


def wanted(all_of_them: Iterable[Requirement], machine: Machine) -> list[Requirement]:
    """What is installed on that machine: pip itself would look at the markers of this one."""
    marks = PLATFORMS[machine.platform][1] | {
        "python_version": machine.python,
        "python_full_version": f"{machine.python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "extra": "",
    }
    return [one for one in all_of_them if one.marker is None or one.marker.evaluate(marks)]


def missing(machine: Machine, named: Sequence[Requirement]) -> list[str]:
    """Which of them have no wheel for the machine. pip stops at the first: so it is asked until it is content.

    Raises RuntimeError with pip's words when it fails for another reason.
    """
    left = {one.name: f"{one.name}{one.specifier}" for one in named}
    found: list[str] = []
    while left:
        error = _ask(machine, list(left.values()))
        if error is None:
            break
        lacks = _MISSING.search(error)
        if lacks is None or lacks[1] not in left:
            raise RuntimeError(f"pip failed for Python {machine.python} on {machine.platform}:\n{error}")
        found.append(left.pop(lacks[1]))
    return found


def _ask(machine: Machine, lines: Sequence[str]) -> str | None:
    """What pip says is wrong; None: it would install them all."""
    platforms = [word for tag in PLATFORMS[machine.platform][0] for word in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as nowhere:
        listed = Path(nowhere, "requirements.txt")
        listed.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]
        command += ["--ignore-installed", "--no-deps", "--only-binary=:all:", "--python-version", machine.python]
        command += [*platforms, "--target", nowhere, "-r", str(listed)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if ended.returncode == 0 else ended.stderr


def main() -> int:
    """The entry point."""
    asking = argparse.ArgumentParser(prog="make wheels ARGS=...", description=__doc__)
    asking.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    asking.add_argument("--json", action="store_true", help="for machines")
    told = asking.parse_args()
    named = requirements(told.lock.read_text(encoding="utf-8"))
    machines = [Machine(platform, python) for platform in PLATFORMS for python in VERSIONS]
    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(machines, pool.map(lambda one: missing(one, wanted(named, one)), machines), strict=True))
    if told.json:
        rows = [{**one._asdict(), "of": len(wanted(named, one)), "missing": lacks} for one, lacks in answers.items()]
        print(json.dumps(rows, indent=1))  # noqa: T201
    else:
        _print_table(named, answers)
    return int(any(_needs_compiler(lacks) for lacks in answers.values()))


def _needs_compiler(lacks: Iterable[str]) -> list[str]:
    return [one for one in lacks if one.partition("==")[0] not in BUILDS_WITHOUT_COMPILER]


def _print_table(named: Sequence[Requirement], answers: Mapping[Machine, list[str]]) -> None:
    for machine, lacks in answers.items():
        of = f"{machine.platform:14} Python {machine.python:5} {len(wanted(named, machine)):4} packages"
        print(f"{of}; without a wheel: {', '.join(lacks) or 'none'}")  # noqa: T201
    for name, why in BUILDS_WITHOUT_COMPILER.items():
        if any(one.startswith(f"{name}==") for lacks in answers.values() for one in lacks):
            print(f"{name}: {why}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
