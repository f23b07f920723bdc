"""The published contracts: a JSON Schema per topic, from the models. `python -m ops.setup.contracts` writes them."""

from __future__ import annotations

from pathlib import Path

import orjson

from schemas.record import adapter
from schemas.topics import TOPICS, Topic

FOLDER = Path(__file__).parents[2] / "schemas" / "json"


def contract(topic: Topic) -> bytes:
    """The JSON Schema of a topic's values, as it is published."""
    assert topic.model is not None
    schema = adapter(topic.model).json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$comment"] = f"Values of the topic {topic}. Fields are only ever added; ignore those you do not know."
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def path_of(topic: Topic) -> Path:
    """Where its contract stands."""
    return FOLDER / f"{topic.name}.schema.json"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for topic in TOPICS:
        if topic.model is not None:
            path_of(topic).write_bytes(contract(topic))


if __name__ == "__main__":
    main()
