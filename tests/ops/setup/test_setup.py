"""`make setup` on machines that are not as they should be: it makes the environment, or says what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from ops.setup import environment
from ops.setup.environment import Environment, Refused, set_up

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "ops/setup/environment.py"
ANEW = "making it anew"
INSTALLING = "Installing"


def _start(folder: Path, lock: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", str(PROGRAM), str(folder), str(lock), "ops.cli"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock that names nothing: pip asks nobody for it."""
    path = tmp_path / "requirements.lock"
    path.write_text("")
    return path


@pytest.fixture
def small(lock: Path, tmp_path: Path) -> Environment:
    """An environment that can be made without a network, in a folder whose name shells stumble over."""
    return Environment(tmp_path / "订单 中心's" / ".venv", lock, "ops.cli")


@pytest.fixture
def quick(small: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The same, with the pip of our own environment: making one of its own takes seconds."""

    def create(folder: Path, **_options: bool) -> None:
        made(folder, symlinks=True)
        packages = Environment(folder, small.lock, None).known()
        assert packages is not None
        Path(packages, "pip.pth").write_text(sysconfig.get_path("purelib"))

    made = venv.create
    monkeypatch.setattr(venv, "create", create)
    return small


def test_two_at_once_make_one(small: Environment) -> None:
    both = [_start(small.folder, small.lock) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "".join(said).count(INSTALLING) == 1
    last = _start(small.folder, small.lock)
    assert last.communicate(timeout=120) == ("", "")  # nothing to do


def test_an_interrupted_one_is_made_anew(quick: Environment, capfd: pytest.CaptureFixture[str]) -> None:
    set_up(quick, None)
    assert ANEW not in capfd.readouterr().err
    shutil.rmtree(quick.folder / "lib")
    quick.begun.touch()  # as kill -9 leaves it
    set_up(quick, None)
    assert ANEW in capfd.readouterr().err
    assert quick.is_ready(None)


def test_its_command_runs_this_checkout_from_anywhere(quick: Environment) -> None:
    set_up(quick, None)
    command = [str(quick.folder / "bin" / "orderfleet"), "--version"]
    told = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert re.fullmatch(r"orderfleet [0-9.]+\n", told.stdout)


@pytest.mark.parametrize("python", ["/nowhere/python3", "/bin/true", sys.executable])
def test_one_without_a_python_or_pip_is_made_anew(
    quick: Environment, python: str, capfd: pytest.CaptureFixture[str]
) -> None:
    quick.python.parent.mkdir(parents=True)
    quick.python.symlink_to(python)
    (quick.folder / "pyvenv.cfg").write_text(
        f"home = {Path(sys.base_prefix) / 'bin'}\ninclude-system-site-packages = false\n"
    )
    set_up(quick, None)
    assert ANEW in capfd.readouterr().err
    assert quick.is_ready(None)


def test_another_python_is_another_environment(small: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "known", lambda self, version=None: None if version == (3, 99) else "/packages")
    small.folder.mkdir(parents=True)
    small.ready.write_text(small.wanted(), encoding="utf-8")
    assert small.is_ready(None)
    assert not small.is_ready((3, 99))


@pytest.mark.parametrize("change", ["lock", "moved", "interrupted"])
def test_there_is_something_to_do(small: Environment, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "known", lambda self, version=None: "/packages")
    small.folder.mkdir(parents=True)
    small.ready.write_text(small.wanted(), encoding="utf-8")
    assert small.is_ready(None)
    if change == "lock":
        small.lock.write_text("# other\n")
    elif change == "moved":
        monkeypatch.setattr(environment, "ROOT", Path("/elsewhere"))
    else:
        small.begun.touch()
    assert not small.is_ready(None)


def _in_ascii(program: str, *words: Path) -> str:
    """What a Python says to which the bytes of names are none of its characters, as in an old locale."""
    command = [sys.executable, "-X", "utf8=0", "-c", program, *map(str, words)]
    ended = subprocess.run(command, cwd=ROOT, env={"LC_ALL": "C"}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_what_was_made_in_one_locale_is_ready_in_another(small: Environment) -> None:
    program = (
        "import sys; from pathlib import Path; from ops.setup.environment import Environment\n"
        "assert sys.getfilesystemencoding() != 'utf-8'\n"
        "print(Environment(Path(sys.argv[1]), Path(sys.argv[2]), 'ops.cli').wanted(), end='')"
    )
    assert _in_ascii(program, small.folder, small.lock) == small.wanted()


def test_the_checkout_is_shown_in_any_locale(quick: Environment) -> None:
    set_up(quick, None)
    packages, command = Path(quick.known() or ""), quick.folder / "bin" / "orderfleet"
    made = (packages / "orderfleet.pth").read_bytes(), command.read_bytes()
    program = (
        "import sys; from pathlib import Path; from ops.setup import environment\n"
        "environment.ROOT = Path(sys.argv[3])\n"
        "environment._show_checkout(environment.Environment(Path(sys.argv[1]), Path(sys.argv[2]), 'ops.cli'))"
    )
    checkout = quick.folder.parent  # with Chinese in its name
    _in_ascii(program, quick.folder, quick.lock, checkout)
    assert (packages / "orderfleet.pth").read_bytes() == f"{checkout}\n".encode()
    assert made == (f"{ROOT}\n".encode(), command.read_bytes())


def test_a_folder_of_somebody_else_is_left_alone(small: Environment) -> None:
    kept = small.folder / "letters.txt"
    small.folder.mkdir(parents=True)
    kept.write_text("dear")
    with pytest.raises(Refused, match=r"(?s)no Python environment.*VENV=.*不是 Python 环境"):
        set_up(small, None)
    assert kept.read_text() == "dear"


@pytest.mark.parametrize("target", ["/nowhere", ".venv", "empty"])
def test_a_link_to_no_environment_is_left_to_its_owner(small: Environment, target: str) -> None:
    small.folder.parent.mkdir(parents=True)
    (small.folder.parent / "empty").mkdir()
    small.folder.symlink_to(target)
    with pytest.raises(Refused, match="Remove the link"):
        set_up(small, None)
    assert small.folder.is_symlink()


def test_a_checkout_that_cannot_be_written_to(lock: Path) -> None:
    with pytest.raises(Refused, match=r"(?s)cannot be written to.*make VENV=.*无法写入"):
        set_up(Environment(Path("/proc/orderfleet/.venv"), lock, None), None)


def test_a_python_without_ensurepip(small: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(Refused, match=r"(?s)apt install python3-venv.*缺少 ensurepip"):
        set_up(small, None)


def test_a_full_disk(small: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 9, 5_000_000))
    with pytest.raises(Refused, match=r"(?s)5 MB free.*Make room.*只剩 5 MB"):
        set_up(small, None)


def test_when_pip_fails_the_next_try_begins_anew(quick: Environment) -> None:
    quick.lock.write_text(f"orderfleet-no-such @ file:///no/such-1.0.tar.gz --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Refused, match=r"(?s)pip could not install.*pip 未能安装"):
        set_up(quick, None)
    assert quick.begun.exists()
    assert not quick.ready.exists()


def _stub(folder: Path, name: str, version: str) -> None:
    """A Python too old: it says its version and refuses the rest."""
    stub = folder / name
    stub.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit\nexit 1\n')
    stub.chmod(0o755)


def _setup(path: Path, python: str = "") -> str:
    """What setup.sh says on a machine with nothing on its PATH but that; it must refuse."""
    for program in ("sh", "head"):
        (path / program).symlink_to(shutil.which(program) or program)
    ended = subprocess.run(
        ["sh", "ops/setup/setup.sh", python, str(path / ".venv"), "requirements.lock"],
        cwd=ROOT,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    return ended.stderr


def test_a_machine_whose_python_is_too_old(tmp_path: Path) -> None:
    _stub(tmp_path, "python3", "3.9.2")
    said = _setup(tmp_path)
    assert "needs Python 3.11 or newer, and the PATH has none (Python 3.9.2)" in said
    assert "需要 Python 3.11 及以上版本" in said


def test_it_is_run_in_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    stub = tmp_path / "python3"
    stub.write_text('#!/bin/sh\n[ "$1" = -c ] && exit\necho "run with $*" >&2\nexit 2\n')
    stub.chmod(0o755)
    assert _setup(tmp_path).startswith("run with -X utf8 -I ops/setup/environment.py ")


def test_a_machine_without_python(tmp_path: Path) -> None:
    assert "(no python3)" in _setup(tmp_path)


def test_a_python_that_was_chosen_and_is_too_old_or_missing(tmp_path: Path) -> None:
    _stub(tmp_path, "python3.9", "3.9.2")
    assert "'python3.9' is Python 3.9.2, but orderfleet needs" in _setup(tmp_path, "python3.9")
    (tmp_path / "sh").unlink()
    (tmp_path / "head").unlink()
    said = _setup(tmp_path, "/opt/no such/python")
    assert "no '/opt/no such/python' on this machine" in said
    assert "请去掉 PYTHON" in said


def test_pip_puts_packages_nowhere_else() -> None:
    mirror = {"PIP_INDEX_URL": "mirror", "HTTPS_PROXY": "proxy"}
    settings = environment._pip_settings({**os.environ, **mirror, "PIP_TARGET": "/elsewhere", "PIP_USER": "1"})
    assert settings["PIP_USER"] == "0"
    assert "PIP_TARGET" not in settings
    assert settings.items() >= mirror.items()
