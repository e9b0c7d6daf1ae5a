"""What is wrong with a design, in our words: where, what was found, what is allowed, the nearest match."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from mobsim.errors import nearest
from mobsim.scenario.allowed import allowed_words, in_words
from mobsim.scenario.document import Document
from mobsim.scenario.faults import MISSING, Fault, Path, inside, shown, text_of

Schema = dict[str, Any]


def faults_of(error: ValidationError, model: type[BaseModel], data: Any, document: Document) -> list[Fault]:
    """Return the faults that pydantic found, one for each place.

    Parameters
    ----------
    error : what pydantic raised.
    model : the model that the data were held against.
    data : the data.
    document : the file they come from, for the lines.
    """
    schema = _schema_of(model)
    found: dict[Path, Any] = {}
    for message in error.errors(include_url=False):
        found.setdefault(_place_of(message, data), message)
    return [_fault(path, message, schema, data, document) for path, message in found.items()]


@cache
def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _place_of(message: Any, data: Any) -> Path:
    """Return the place in the data that a message belongs to; its location names alternatives too."""
    path: list[str | int] = []
    value = data
    location = message["loc"]
    for place, part in enumerate(location):
        within = inside(value, part)
        if within is not MISSING:
            value = within
            path.append(part)
        elif message["type"] == "missing" and place == len(location) - 1:
            path.append(part)
    return tuple(path)


def _fault(path: Path, message: Any, schema: Schema, data: Any, document: Document) -> Fault:
    kind = message["type"]
    if kind == "union_tag_not_found" and isinstance(_at(data, path), dict):
        path, kind = (*path, "kind"), "missing"
    if kind == "union_tag_invalid":
        path = (*path, "kind")
    text = text_of(path)
    if kind == "extra_forbidden":
        keys = tuple(_part(schema, path[:-1], data).get("properties", {}))
        where = f"{text_of(path[:-1])}: " if path[:-1] else ""
        guess = nearest(str(path[-1]), keys)
        sentence = f"{where}unknown key {shown(path[-1])}; allowed: {', '.join(keys)}{guess}"
        return document.fault(path, sentence)
    part = _part(schema, path, data)
    allowed = in_words(part)
    if kind == "missing":
        return document.fault(path, f"{text} is missing; allowed: {allowed}")
    value = _at(data, path)
    guess = nearest(value, allowed_words(part)) if isinstance(value, str) else ""
    return document.fault(path, f"{text} is {shown(value)}; allowed: {allowed}{guess}")


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = inside(value, part)
    return value


def _part(schema: Schema, path: Path, data: Any) -> Schema:
    """Return the part of a schema that describes a place of the data."""
    whole = schema
    schema = _opened(schema, whole, data)
    for part in path:
        data = inside(data, part)
        step = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        schema = _opened(step or schema.get("additionalProperties") or {}, whole, data)
    return schema


def _opened(schema: Schema, whole: Schema, data: Any) -> Schema:
    """Follow references and choose the alternative that the data mean."""
    outer = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "oneOf")}
    if "$ref" in schema:
        return {**_opened(whole["$defs"][schema["$ref"].rsplit("/", 1)[1]], whole, data), **outer}
    if "discriminator" in schema:
        mapping = schema["discriminator"]["mapping"]
        kind = inside(data, "kind")
        if isinstance(kind, str) and kind in mapping:
            return _opened({"$ref": mapping[kind]}, whole, data)
        return {"type": "object", "properties": {"kind": {"enum": list(mapping)}}}
    options = [_opened(option, whole, data) for option in schema.get("anyOf", ())]
    real = [option for option in options if option.get("type") != "null"]
    if options:
        return {**(real[0] if len(real) == 1 else {}), **outer}
    return schema
