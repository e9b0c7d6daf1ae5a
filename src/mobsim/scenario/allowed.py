"""What is allowed at a place of a scenario, in words, read from the declarations themselves."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from mobsim.scenario.faults import Path, inside
from mobsim.scenario.scenario import Scenario

Schema = dict[str, Any]


@cache
def resolved_schema() -> Schema:
    """Return the JSON Schema of the resolved form."""
    return Scenario.model_json_schema()


def schema_at(path: Path, data: Any) -> Schema | None:
    """Return the part of the schema that describes a place, or nothing if no such place exists.

    Parameters
    ----------
    path : the place.
    data : the resolved form; it decides between kinds, such as those of networks.
    """
    schema = _chosen(resolved_schema(), data)
    for part in path:
        step = _step(schema, part)
        if step is None:
            return None
        data = inside(data, part)
        schema = _chosen(step, data)
    return schema


def _step(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        prefix = schema.get("prefixItems")
        if prefix:
            return prefix[part] if part < len(prefix) else None
        return schema.get("items")
    if part in schema.get("properties", {}):
        found: Schema = schema["properties"][part]
        return found
    for pattern, more in schema.get("patternProperties", {}).items():
        if re.search(pattern, str(part)):
            return dict(more)
    more = schema.get("additionalProperties")
    return more if isinstance(more, dict) else None


def _chosen(schema: Schema, data: Any) -> Schema:
    """Follow references and choose the alternative that fits the data."""
    outer = {
        key: value
        for key, value in schema.items()
        if key not in ("$ref", "anyOf", "oneOf", "allOf", "discriminator")
    }
    if "$ref" in schema:
        return {**_chosen(resolved_schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]], data), **outer}
    if "discriminator" in schema:
        kind = data.get("kind") if isinstance(data, dict) else None
        mapping = schema["discriminator"]["mapping"]
        if isinstance(kind, str) and kind in mapping:
            return {**_chosen({"$ref": mapping[kind]}, data), "kinds": list(mapping)}
        return {
            **outer,
            "properties": {"kind": {"enum": list(mapping)}},
            "type": "object",
            "kinds": list(mapping),
        }
    options = [_chosen(option, data) for option in schema.get("anyOf", [])]
    if options:
        fitting = [option for option in options if _fits(option, data)]
        if fitting:
            return {**fitting[0], **outer, "options": options, "chosen": fitting[0].get("title")}
        real = [option for option in options if option.get("type") != "null"]
        return {**(real[0] if len(real) == 1 else {}), **outer, "options": options}
    return schema


def _fits(schema: Schema, data: Any) -> bool:
    kind = schema.get("type")
    if isinstance(data, dict):
        return kind == "object" and set(data) <= set(schema.get("properties", data))
    if isinstance(data, list | tuple):
        return kind == "array"
    if isinstance(data, bool):
        return kind == "boolean"
    if isinstance(data, int | float):
        return kind in ("number", "integer")
    if data is None:
        return kind == "null"
    return kind == "string"


def allowed_words(schema: Schema) -> tuple[str, ...]:
    """Return the words a value may be, or nothing if it is not one of a list.

    Parameters
    ----------
    schema : a part of the schema, from `schema_at`.
    """
    words = tuple(map(str, schema.get("enum", [schema["const"]] if "const" in schema else [])))
    for option in schema.get("options", []):
        words += allowed_words(option)
    return tuple(dict.fromkeys(words))


def in_words(schema: Schema) -> str:
    """Say what a value may be.

    Parameters
    ----------
    schema : a part of the schema, from `schema_at`.

    Examples
    --------
    >>> in_words({"type": "integer", "minimum": 1, "maximum": 10000000})
    'a whole number from 1 to 10,000,000'
    >>> in_words({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
    'a number above 0 and of at most 1'
    """
    if "options" in schema:
        texts = [in_words(option) for option in schema["options"] if option.get("type") != "null"]
        null = any(option.get("type") == "null" for option in schema["options"])
        return ", or ".join(dict.fromkeys(texts)) + (", or null" if null else "")
    if "const" in schema or "enum" in schema:
        return ", ".join(allowed_words(schema))
    kind = schema.get("type")
    if kind == "integer":
        return _number("a whole number", schema)
    if kind == "number":
        return _number("a number", schema)
    if kind == "boolean":
        return "true or false"
    if kind == "array" and "prefixItems" in schema:
        return f"a list of {len(schema['prefixItems'])} values"
    if kind == "array":
        least = schema.get("minItems", 0)
        return "a list" + (f" of at least {least}" if least else "") + _of(schema)
    if kind == "object":
        keys = list(schema.get("properties", {}))
        if schema.get("minProperties"):
            return "a mapping with at least one entry"
        return f"a mapping with {', '.join(keys)}" if keys else "a mapping"
    if "pattern" in schema:
        return (
            f"a word of up to {schema.get('maxLength', 40)} letters, digits and _ that starts with a letter"
        )
    return f"a text{_longest(schema)}"


def _of(schema: Schema) -> str:
    items = schema.get("items", {})
    item = in_words(_chosen(items, None)) if items else ""
    return f", each {item}" if item and len(item) < 80 else ""


def _longest(schema: Schema) -> str:
    return f" of 1 to {schema['maxLength']} letters" if "maxLength" in schema else ""


def _number(what: str, schema: Schema) -> str:
    if schema.get("multipleOf") == 2:
        what = what.replace("a whole", "an even whole")
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    ends = []
    if low is not None and high is not None:
        return f"{what} from {_digits(low)} to {_digits(high)}"
    if above is not None:
        ends.append(f"above {_digits(above)}")
    if low is not None:
        ends.append(f"of at least {_digits(low)}")
    if high is not None:
        ends.append(f"of at most {_digits(high)}")
    if below is not None:
        ends.append(f"below {_digits(below)}")
    return f"{what} {' and '.join(ends)}".rstrip()


def _digits(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:,}"
