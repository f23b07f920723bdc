"""Records of the versions before lie on topics for up to ninety days and in Redis as long as an order waits.

`of_before/<topic>/` holds what they wrote: plans, flags, rule matches and letters that say in sentences what has codes
and arguments now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from schemas.record import decode, encode
from schemas.topics import TOPICS

OF_BEFORE: Final = Path(__file__).parent / "of_before"
EXAMPLES: Final = Path(__file__).parents[2] / "schemas" / "examples"
MODELS: Final = {topic.name: topic.model for topic in TOPICS}
WRITTEN: Final = sorted(OF_BEFORE.rglob("*.json"))
OF_BOTH: Final = [path for path in WRITTEN if (EXAMPLES / path.relative_to(OF_BEFORE)).exists()]


def holds(whole: Any, part: Any) -> bool:
    """Whether everything that `part` says stands in `whole`, too."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(holds(*pair) for pair in zip(whole, part, strict=True))
    return bool(whole == part)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_a_version_before_wrote_is_read_whole(path: Path) -> None:
    model = MODELS[path.parent.name]
    assert model is not None
    again = orjson.loads(encode(decode(model, path.read_bytes())))
    assert holds(again, orjson.loads(path.read_bytes()))


@pytest.mark.parametrize("path", OF_BOTH, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_written_now_has_every_field_that_a_version_before_asks_for(path: Path) -> None:
    """While workers are exchanged one by one, those of before read what the others write."""
    now = orjson.loads((EXAMPLES / path.relative_to(OF_BEFORE)).read_bytes())
    assert shape(now).items() >= shape(orjson.loads(path.read_bytes())).items()


def shape(value: Any, where: str = "") -> dict[str, type]:
    """The type of what stands at each place."""
    if isinstance(value, dict):
        return {place: kind for name, each in value.items() for place, kind in shape(each, f"{where}.{name}").items()}
    if isinstance(value, list):
        return {place: kind for n, each in enumerate(value) for place, kind in shape(each, f"{where}.{n}").items()}
    return {where: type(value)}
