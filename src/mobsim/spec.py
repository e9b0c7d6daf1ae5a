"""Declared parameters: every number a scenario can set has a type, a range, a unit, a symbol and a source
tag.

A spec is frozen and refuses unknown keys. The tags are those of the model description (docs/odd.md):
`[V]` read in a source, `[P]` seen in a prototype, `[A]` an assumption, `[C]` set by the calibration study.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Spec(BaseModel):
    """Base of all declared parameter sets: frozen, no unknown keys, no silent conversions, only finite
    numbers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


def declared(
    default: Any,
    description: str,
    *,
    source: str,
    symbol: str = "",
    unit: str = "",
    usual: tuple[float, float] | None = None,
    **limits: Any,
) -> Any:
    """Declare one parameter beside the code that uses it.

    Parameters
    ----------
    default : the value when a scenario says nothing (`...` means it must be said).
    description : one sentence.
    source : provenance tag of the default, such as ``"[A]"`` or ``"[V] 2.6-12 %"``.
    symbol : the symbol in docs/odd.md.
    unit : unit of the number, empty for pure numbers.
    usual : the documented range; values outside are allowed but warned about.
    **limits : hard limits handed to pydantic (ge, gt, le, lt, min_length, ...).
    """
    extra: dict[str, Any] = {"source": source}
    if symbol:
        extra["symbol"] = symbol
    if unit:
        extra["unit"] = unit
    if usual is not None:
        extra["usual"] = list(usual)
    return Field(default, description=description, json_schema_extra=extra, **limits)
