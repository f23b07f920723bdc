"""The quick reader of a wire model: msgspec reads what the model promises, pydantic stays the judge.

A wire model is declared once, for pydantic. What pydantic compiled it to is written down again for msgspec, which reads
the same bytes several times as fast into an object with the same attributes. Whatever msgspec does not take is read by
pydantic, which takes it after all (a number as text, one object for a list) or says what is wrong.

Quick is only what surely means the same to both: see the tables below. A model that says anything else, such as a
validator of its own, is read by pydantic alone: slower, and right. One difference is left, and harmless: msgspec minds
neither nesting deeper than 200 levels nor integers of more than 4,300 digits in what no mapping looks into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Annotated, Any, Final, TypeVar

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import CoreConfig, SchemaValidator

M = TypeVar("M", bound=BaseModel)

Schema = Mapping[str, Any]

_LONGEST: Final = 4300  # digits of an integer that Python writes as text
_BOUNDS: Final = ("ge", "gt", "le", "lt")
_KNOWN: Final = {
    "any": {"type"},
    "bool": {"type", "strict"},
    "int": {"type", "strict", *_BOUNDS},
    "float": {"type", "strict"},
    "str": {"type", "strict", "min_length", "max_length", "pattern", "coerce_numbers_to_str"},
    "nullable": {"type", "schema"},
    "union": {"type", "choices", "mode"},
    "list": {"type", "items_schema", "fail_fast"},
    "tuple": {"type", "items_schema", "variadic_item_index", "fail_fast"},
    "dict": {"type", "keys_schema", "values_schema"},
    "function-before": {"type", "function", "schema"},
    "default": {"type", "schema", "default", "default_factory", "default_factory_takes_data"},
    "definition-ref": {"type", "schema_ref"},
    "definitions": {"type", "schema", "definitions"},
    "model": {"type", "cls", "schema", "config", "custom_init", "root_model", "generic_origin"},
    "model-fields": {"type", "fields", "model_name", "computed_fields"},
    "model-field": {"type", "schema", "validation_alias", "serialization_alias"},
    "config": {"title", "extra_fields_behavior", "coerce_numbers_to_str"},
}
"""What a pydantic schema may say to be quick, by its type."""

_ANYWHERE: Final = {"metadata", "ref"}  # nothing of these changes what is read
_PATTERN: Final = re.compile(r"\^(?:\[[\w-]+\](?:\{\d+,\d+\})?)+\$", re.ASCII)


class TypePreservingValidator:
    """A before-validator that leaves alone what already has the field's type, so that quick reading needs it not."""

    def __init__(self, mend: Callable[[Any], Any]) -> None:
        self._mend = mend

    def __call__(self, value: Any) -> Any:
        """What the field's own type is to judge."""
        return self._mend(value)


class UnsupportedSchema(Exception):
    """A model says what only pydantic understands."""


def first_error(kind: TypeAdapter[Any], payload: bytes) -> ValidationError | None:
    """What is wrong with a value of this kind in a wire model, None when nothing is."""
    try:
        _stopping(kind).validate_json(payload)
    except ValidationError as error:
        return error
    return None


_AS_IN_A_MODEL: Final = CoreConfig(coerce_numbers_to_str=True)  # a field by itself has lost what `Wire` says


@lru_cache(1024)
def _stopping(kind: TypeAdapter[Any]) -> SchemaValidator:
    return SchemaValidator(fail_fast(kind.core_schema), _AS_IN_A_MODEL)


def fail_fast(schema: Any) -> Any:
    """The schema with its lists stopping at their first bad entry: of a million it would take gigabytes to tell."""
    if isinstance(schema, list | tuple):
        return type(schema)([fail_fast(each) for each in schema])
    if not isinstance(schema, dict):
        return schema
    made = {key: value if key == "metadata" else fail_fast(value) for key, value in schema.items()}
    if schema.get("type") in ("list", "tuple") and ("items_schema" in schema):
        made["fail_fast"] = True
    return made


def reader(model: type[M]) -> Callable[[bytes], M]:
    """A function that reads one kind of wire model. It raises pydantic.ValidationError.

    What it gives has the attributes of the model, and need not be an instance of it.
    """
    return _reader(model)


@cache
def _reader(model: Any) -> Callable[[bytes], Any]:
    slow: Callable[[bytes], Any] = model.model_validate_json
    try:
        quick = msgspec.json.Decoder(twin(model)).decode
    except UnsupportedSchema:
        return slow

    def read(payload: bytes) -> Any:
        try:
            if not payload.isascii():
                payload.decode()  # msgspec does not look into texts that it passes over
            return quick(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return slow(payload)

    return read


def twin(model: type[BaseModel]) -> type[msgspec.Struct]:
    """The msgspec type that reads the same fields. Raises UnsupportedSchema."""
    made: type[msgspec.Struct] = _Twins().type_of(TypeAdapter(model).core_schema)
    return made


class _Twins:
    """The msgspec types of one model and of those inside it."""

    def __init__(self) -> None:
        self._refs: dict[str, Schema] = {}
        self._made: dict[type[Any], Any] = {}

    def type_of(self, schema: Schema) -> Any:
        kind = schema["type"]
        _check_known(kind, schema)
        make: Callable[[Schema], Any] = getattr(self, f"_{kind.replace('-', '_')}")
        return make(schema)

    # -- values

    def _any(self, schema: Schema) -> Any:
        return Any

    def _bool(self, schema: Schema) -> Any:
        return bool

    def _float(self, schema: Schema) -> Any:
        return float

    def _int(self, schema: Schema) -> Any:
        bounds = {name: schema[name] for name in _BOUNDS if name in schema}
        return Annotated[int, msgspec.Meta(**bounds)] if bounds else int

    def _str(self, schema: Schema) -> Any:
        limits = {name: schema[name] for name in ("min_length", "max_length") if name in schema}
        if "pattern" in schema:
            limits["pattern"] = _pattern(schema)
        return Annotated[str, msgspec.Meta(**limits)] if limits else str

    # -- several values

    def _nullable(self, schema: Schema) -> Any:
        return self.type_of(schema["schema"]) | None

    def _union(self, schema: Schema) -> Any:
        """JSON says which member is meant, as long as no member takes what is another's."""
        choices = schema["choices"]
        kinds = [choice["type"] for choice in choices]
        lax = any(choice["type"] in ("bool", "int", "float") and not choice.get("strict") for choice in choices)
        if lax or ("float" in kinds and "int" in kinds[kinds.index("float") :]):
            raise UnsupportedSchema("a member of a union takes what another one means")
        members = self.type_of(choices[0])
        for choice in choices[1:]:
            members |= self.type_of(choice)
        return members

    def _list(self, schema: Schema) -> Any:
        return list[self.type_of(schema["items_schema"])]  # type: ignore[misc]

    def _tuple(self, schema: Schema) -> Any:
        if schema.get("variadic_item_index") != 0 or len(schema["items_schema"]) != 1:
            raise UnsupportedSchema("a tuple of a fixed length")
        return tuple[self.type_of(schema["items_schema"][0]), ...]  # type: ignore[misc]

    def _dict(self, schema: Schema) -> Any:
        return dict[self.type_of(schema["keys_schema"]), self.type_of(schema["values_schema"])]  # type: ignore[misc]

    # -- what stands around a value

    def _function_before(self, schema: Schema) -> Any:
        if not isinstance(schema["function"].get("function"), TypePreservingValidator):
            raise UnsupportedSchema("a validator of its own")
        return self.type_of(schema["schema"])

    def _default(self, schema: Schema) -> Any:
        return self.type_of(schema["schema"])

    def _definitions(self, schema: Schema) -> Any:
        self._refs |= {each["ref"]: each for each in schema["definitions"]}
        return self.type_of(schema["schema"])

    def _definition_ref(self, schema: Schema) -> Any:
        return self.type_of(self._refs[schema["schema_ref"]])

    # -- models

    def _model(self, schema: Schema) -> Any:
        model, inner = schema["cls"], schema["schema"]
        _check_known("config", schema["config"])
        if inner["type"] != "model-fields" or schema.get("custom_init") or schema.get("root_model"):
            raise UnsupportedSchema("a model with validators or a constructor of its own")
        if schema["config"].get("extra_fields_behavior", "ignore") != "ignore":
            raise UnsupportedSchema("a model that minds unknown fields")
        if model not in self._made:
            self._made[model] = None  # a model that holds itself meets this, and is not quick
            self._made[model] = self._struct(model.__name__, inner)
        if self._made[model] is None:
            raise UnsupportedSchema("a model inside itself")
        return self._made[model]

    def _struct(self, name: str, schema: Schema) -> type[msgspec.Struct]:
        _check_known("model-fields", schema)
        if schema.get("computed_fields"):
            raise UnsupportedSchema("computed fields")
        fields, names, texts = [], {}, {}
        for field, declared in schema["fields"].items():
            _check_known("model-field", declared)
            names[field] = declared.get("validation_alias", field)
            text = _text_of_number(declared["schema"])
            read_as = self.type_of(declared["schema"])
            if text is not None:
                texts[field], read_as = text, read_as | int
            fields.append((field, read_as, *_default_of(declared["schema"])))
        if not all(isinstance(alias, str) for alias in names.values()):
            raise UnsupportedSchema("a field that is read from several places")
        # Wire data holds no cycles: the garbage collector need not walk it.
        return msgspec.defstruct(name, fields, rename=names, namespace=_mended(texts), kw_only=True, gc=False)


def _check_known(kind: str, schema: Schema) -> None:
    unknown = set(schema) - _KNOWN.get(kind, set()) - _ANYWHERE
    if unknown or kind not in _KNOWN:
        raise UnsupportedSchema(f"{kind} {sorted(unknown)}")


def _default_of(schema: Schema) -> Sequence[Any]:
    if schema["type"] != "default":
        return ()
    if factory := schema.get("default_factory"):
        if schema.get("default_factory_takes_data"):
            raise UnsupportedSchema("a default that depends on other fields")
        return (msgspec.field(default_factory=factory),)
    if not isinstance(schema["default"], str | int | float | tuple | None):
        raise UnsupportedSchema("a default that can be changed")
    return (schema["default"],)


def _pattern(schema: Schema) -> str:
    """As Python says it, where `$` also stands before a line break at the end."""
    pattern = schema["pattern"]
    if not (isinstance(pattern, str) and _PATTERN.fullmatch(pattern)):
        raise UnsupportedSchema("a pattern that may mean something else to Python")
    return pattern.removesuffix("$") + r"\Z"


# -- numbers for text ----------------------------------------------------------------------------------------------


def _text_of_number(schema: Schema) -> Callable[[int], str] | None:
    """How a field turns an integer into text; None when it is not declared to."""
    while schema["type"] in ("default", "nullable", "function-before"):
        schema = schema["schema"]
    if not schema.get("coerce_numbers_to_str"):
        return None
    limits = [name for name in ("min_length", "max_length") if name in schema]
    if "pattern" not in schema and not limits:
        return str
    fits = re.compile(_pattern(schema) if "pattern" in schema else "").match
    shortest, longest = schema.get("min_length", 0), schema.get("max_length", _LONGEST)

    def text_of(number: int) -> str:
        text = str(number)
        if shortest <= len(text) <= longest and fits(text):
            return text
        raise ValueError("pydantic is to say what is wrong")

    return text_of


def _mended(texts: Mapping[str, Callable[[int], str]]) -> dict[str, Any] | None:
    """`__post_init__`, written out field by field: it runs for each object of each order."""
    if not texts:
        return None
    scope: dict[str, Any] = {f"text_of_{name}": text for name, text in texts.items()}
    lines = [f" if type(self.{name}) is int: self.{name} = text_of_{name}(self.{name})" for name in texts]
    exec("\n".join(["def __post_init__(self):", *lines]), scope)  # noqa: S102  # made of our own field names only
    return {"__post_init__": scope["__post_init__"]}
