"""The file .env.example, made from the settings. `python -m ops.setup.env_example` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from workers.runtime.settings import Settings

PATH: Final = Path(__file__).parents[2] / ".env.example"

_HEAD: Final = """\
# Settings of orderfleet. Copy to .env and take the # off what you change; what is shown is the default.
# Made from workers/runtime/settings.py: `python -m ops.setup.env_example`.
"""
COMPOSE: Final = {
    "RULES_DIR": ("./ops/docs/examples", "Folder with rules.yaml and catalogue.yaml"),
    "BOOK_PASSWORD": ("orderfleet", "Of the PostgreSQL of the order book, as it is made at the first start"),
    "NOTICES_FILE": (
        "./ops/docs/examples/notices.yaml",
        "Who is told of what; the containers' user 10001 must be able to read it",
    ),
    "ALERTS_TOKEN": ("orderfleet", "What Alertmanager shows to the service alerts; inside the network of Compose only"),
    "SHOPS_FILE": ("./shops.yaml", "The shops to poll; the containers' user 10001 must be able to read it"),
}
"""What docker-compose.yml itself reads: name -> (default, what it is)."""

_COMPOSE_HEAD: Final = """\

# Only for Docker Compose, which sets the addresses, files and ports above itself.
"""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{Settings.model_config['env_prefix']}{name}".upper()


def env_example() -> str:
    """The whole file."""
    fields = [_entry(variable(name), _default(field), field.description or "") for name, field in _fields()]
    compose = [_entry(name, default, what) for name, (default, what) in COMPOSE.items()]
    return "\n".join([_HEAD, *fields, _COMPOSE_HEAD, *compose]) + "\n"


def _fields() -> list[tuple[str, FieldInfo]]:
    return list(Settings.model_fields.items())


def _entry(name: str, default: str, what: str) -> str:
    return f"# {what}\n#{name}={default}"


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def main() -> None:
    """Write it."""
    PATH.write_text(env_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
