"""The scenarios that come with mobsim."""

from __future__ import annotations

from pathlib import Path

from mobsim.errors import ScenarioError, nearest

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder() -> Path:
    """Return the folder of the shipped scenarios: in the installed package, or in the source tree."""
    inside = _PACKAGE / "scenarios"
    return inside if inside.is_dir() else _PACKAGE.parents[1] / "scenarios"


def shipped_scenarios() -> dict[str, Path]:
    """Return the shipped scenario files by name; those in a folder are named with it, as `limits/bass`."""
    folder = shipped_folder()
    files = sorted(folder.glob("*.yaml")) + sorted(folder.glob("*/*.yaml"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def find_scenario(name_or_path: str | Path) -> Path:
    """Return the file that a user means by a path or by the name of a shipped scenario.

    Parameters
    ----------
    name_or_path : a path, `vaccination_district`, or `limits/bass`.
    """
    path = Path(name_or_path)
    text = str(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    shipped = shipped_scenarios()
    key = path.as_posix()
    if key in shipped:
        return shipped[key]
    ends = [name for name in shipped if name.rsplit("/", 1)[-1] == text]
    if len(ends) == 1:
        return shipped[ends[0]]
    guess = nearest(text, [*shipped, *(name.rsplit("/", 1)[-1] for name in shipped)])
    raise ScenarioError(
        f"{text} is neither a file nor a scenario that comes with mobsim; allowed: a path that ends in "
        ".yaml, or a name that "
        f"`mobsim scenarios` lists{guess}"
    )


def title_of(path: Path) -> str:
    """Return the title that a shipped scenario gives itself, read without parsing the whole file.

    Parameters
    ----------
    path : the file.
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("title:"):
            return line.removeprefix("title:").strip().strip("\"'")
    return ""
