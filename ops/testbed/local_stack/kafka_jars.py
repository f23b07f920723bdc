"""Where Apache Kafka's jars are, and fetching them once with Maven."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from hashlib import blake2b
from pathlib import Path

from workers.runtime.settings import load_settings

POM = Path(__file__).with_name("kafka.pom.xml")
CACHE = Path(__file__).parents[3] / ".cache"
FETCH_SECONDS = 600.0


def can_run_kafka() -> bool:
    """Whether this machine has what a broker needs: Java, and Maven unless the jars are already here."""
    return shutil.which("java") is not None and (shutil.which("mvn") is not None or default_folder().is_dir())


def default_folder() -> Path:
    """`ORDERFLEET_KAFKA_JARS`, or a folder under `.cache` of the checkout that changes with the pom."""
    return load_settings().kafka_jars or CACHE / f"kafka-{_fingerprint()}"


def _fingerprint() -> str:
    return blake2b(POM.read_bytes(), digest_size=6).hexdigest()


def kafka_jars(folder: Path | None = None) -> Path:
    """The folder with all jars; fetched when it is not there. Raises RuntimeError that says what is missing."""
    folder = folder or default_folder()
    if not folder.is_dir():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    """Fetch beside the folder and move it there whole, so that a fetch cut short is never taken for a full one."""
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError("Apache Kafka is fetched with Maven, and there is no mvn here: install maven and a JRE")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as nearby:
        command = [
            maven,
            "-q",
            "-B",
            "-f",
            str(POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={nearby}/jars",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"Maven could not fetch Apache Kafka:\n{(done.stdout + done.stderr)[-2000:]}")
        if not folder.is_dir():  # somebody else may have been quicker
            Path(nearby, "jars").replace(folder)
