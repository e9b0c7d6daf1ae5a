"""The resolved form as text: YAML that loads back to the same scenario, its digest, an editor's schema."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from mobsim.campaign.activity import POLICIES
from mobsim.campaign.targeting import RULES
from mobsim.scenario.scenario import Scenario

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {"null", "true", "false", "y", "n", "yes", "no", "on", "off"}


def plain(scenario: Scenario) -> dict[str, Any]:
    """Return the resolved form as dicts, lists and scalars; without `calibration` if none is named."""
    data: dict[str, Any] = scenario.model_dump(mode="json")
    if data["calibration"] is None:
        del data["calibration"]
    return data


def dump(scenario: Scenario) -> str:
    """Return the resolved form as YAML that loads back to the identical scenario."""
    heading = "# The resolved form of a scenario: every default is written in; see tags for what was set.\n"
    return heading + yaml_of(plain(scenario))


def yaml_of(data: dict[str, Any]) -> str:
    r"""Return a mapping of plain data as YAML that loads back to the same data.

    Parameters
    ----------
    data : words, numbers, lists and mappings.

    Examples
    --------
    >>> yaml_of({"name": "a", "factors": {"behaviour.noise": {"low": 0.0}}})
    'name: "a"\nfactors:\n  "behaviour.noise":\n    low: 0.0\n'
    """
    return "".join(f"{line}\n" for line in _lines(data, ""))


def digest(scenario: Scenario) -> str:
    """Return the sha256 of the resolved form, in 64 hexadecimal digits.

    The order of arms and groups counts: the first group is the majority.
    """
    text = json.dumps(plain(scenario), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what a person writes, for editors that complete and check while one types.

    It is the schema of the resolved form without the duty to write everything: defaults may be left out, an
    activity may start from another (`like`), a target may be a word, a constant threshold and the respondents
    of a survey a number. Rules and policies are offered by name; any word passes: others register theirs.
    """
    schema = Scenario.model_json_schema()
    parts = schema["$defs"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mobsim scenario"
    schema["required"] = ["schema_version", "title", "description"]
    parts["CommunitySpec"]["required"] = []
    parts["ActivitySpec"]["required"] = []
    parts["GroupSpec"]["required"] = []
    parts["ActivitySpec"]["properties"]["like"] = {
        "type": "string",
        "description": "shipped activity whose numbers are taken where nothing else is said",
    }
    calibration = schema["properties"]["calibration"]
    schema["properties"]["calibration"] = {
        "anyOf": [{"type": "string", "title": "Calibration file"}, *calibration["anyOf"]],
        "description": "the calibration file (mobsim calibrate) that some of the values come from",
    }
    rules = _offered(parts["TargetSpec"]["properties"], "rule", RULES)
    _offered(parts["ArmSpec"]["properties"], "policy", POLICIES)
    surveys = parts["ArmSpec"]["properties"]["survey"]
    respondents = parts["SurveySpec"]["properties"]["respondents"]
    number = {key: respondents[key] for key in ("type", "minimum", "maximum")}
    parts["ArmSpec"]["properties"]["survey"] = {
        "anyOf": [{**number, "title": "Respondents alone"}, *surveys["anyOf"]],
        "description": f"{surveys['description']}; a number stands for the respondents",
    }
    for name in ("ActivitySpec", "ActivityUse"):
        target = parts[name]["properties"]["target"]
        parts[name]["properties"]["target"] = {
            "anyOf": [{**rules, "title": "Rule alone"}, {"$ref": "#/$defs/TargetSpec"}, {"type": "null"}],
            "description": target["description"],
        }
    thresholds = parts["BehaviourSpec"]["properties"]["thresholds"]
    parts["BehaviourSpec"]["properties"]["thresholds"] = {
        "anyOf": [{"type": "number"}, thresholds],
        "description": thresholds["description"],
    }
    return schema


def _offered(properties: dict[str, Any], key: str, words: tuple[str, ...]) -> dict[str, Any]:
    """Let an editor offer the names that ship where any name may stand; return the new part."""
    named = {name: value for name, value in properties[key].items() if name != "type"}
    properties[key] = {**named, "anyOf": [{"enum": list(words)}, {"type": "string"}]}
    return dict(properties[key])


def _lines(value: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for key, inner in value.items():
        lines += _entry(f"{indent}{_key(key)}:", inner, indent + "  ")
    return lines


def _entry(start: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict) and value:
        return [start, *_lines(value, indent)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lines = [start]
        for item in value:
            inner = _lines(item, indent + "  ")
            lines += [f"{indent}- {inner[0].lstrip()}", *inner[1:]]
        return lines
    return [f"{start} {_scalar(value)}"]


def _scalar(value: Any) -> str:
    """JSON is YAML; its texts are always quoted, so that no word turns into something else."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _RESERVED else _scalar(key)
