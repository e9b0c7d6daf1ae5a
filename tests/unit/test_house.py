"""The rules of the house that a machine can check: imports, documentation, what is loaded, what is kept."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mobsim
from mobsim import errors

pytestmark = pytest.mark.quick

TOP = Path(__file__).resolve().parents[2]
SOURCE = TOP / "src" / "mobsim"
MODULES = sorted(SOURCE.rglob("*.py"))

# From the ground up. A room imports from floors below, and from the neighbours listed, never from above.
FLOORS = [
    {"errors", "spec", "kernels"},
    {"community", "campaign"},
    {"scenario"},
    {"engine"},
    {"mesa_model", "experiment"},
    {"analysis", "testing"},
    {"plots"},
    {"plots_of_sweeps", "plots_of_calibration", "plots_of_diffusion"},
    {"report"},
    {"cli"},
]
NEIGHBOURS = {("spec", "errors"), ("campaign", "community")}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# A package that only one room may import.
KEPT_IN = {"mesa": "mesa_model", "numba": "kernels", "matplotlib": "plots"}

# Nothing of this may be loaded by `import mobsim`: a command pays for what it uses.
HEAVY = [
    "dask",
    "matplotlib",
    "mesa",
    "networkx",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "rich",
    "scipy",
    "typer",
]


def name_of(path: Path) -> str:
    """`src/mobsim/engine/run.py` -> `mobsim.engine.run`."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """`mobsim.engine.run` -> `engine`; the package itself is the empty word."""
    return module.split(".")[1] if "." in module else ""


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever it does; `from mobsim.a import b` gives `mobsim.a.b`."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def may_import(room: str, other: str) -> bool:
    return room == other or (room, other) in NEIGHBOURS or FLOOR_OF[other] < FLOOR_OF[room]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    room = room_of(name_of(path))
    if room in ("", "__main__"):  # the public names and `python -m mobsim` stand above all floors
        return
    assert room in FLOOR_OF, f"{path}: a new room; give it a floor in this test and in CONTRIBUTING.md"
    for found in imports_of(path):
        top = found.split(".")[0]
        assert KEPT_IN.get(top, room) == room, f"{name_of(path)} imports {found}: only {KEPT_IN[top]} may"
        if top == "mobsim" and found != "mobsim.__version__":
            other = room_of(found)
            assert other in FLOOR_OF, (
                f"{name_of(path)} imports {found}: import names from modules, not the package"
            )
            assert may_import(room, other), f"{name_of(path)} imports {found}, which is not below it"


def test_the_public_names_are_loaded_late() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text("utf-8"))
    at_the_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in at_the_top if any(a.name.startswith("mobsim") for a in node.names)]


def loaded_by(statement: str) -> set[str]:
    """Top-level names of what a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return {name.split(".")[0] for name in printed.split()}


def test_importing_mobsim_loads_nothing_heavy() -> None:
    assert loaded_by("import mobsim; mobsim.MobsimError; mobsim.__version__").isdisjoint(HEAVY)


@pytest.mark.parametrize("name", mobsim.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(mobsim, name) is not None
    assert name in dir(mobsim)


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'comparee'"):
        mobsim.comparee  # noqa: B018


# Documentation

Documented = ast.Module | ast.ClassDef | ast.FunctionDef


def documented_things(path: Path) -> Iterator[tuple[str, Documented]]:
    """Public classes, functions and methods of a module with their dotted names, and the module itself."""
    tree = ast.parse(path.read_text("utf-8"))
    yield name_of(path), tree
    waiting: list[tuple[str, Documented]] = [(name_of(path), tree)]
    while waiting:
        outer, body = waiting.pop()
        for node in ast.iter_child_nodes(body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                name = f"{outer}.{node.name}"
                yield name, node
                if isinstance(node, ast.ClassDef):
                    waiting.append((name, node))


def decorators_of(function: ast.FunctionDef) -> set[str]:
    """Last words of the decorators: `@property`, `@functools.wraps(f)` -> {"property", "wraps"}."""
    texts = [ast.unparse(decorator).split("(")[0] for decorator in function.decorator_list]
    return {text.split(".")[-1] for text in texts}


def parameters_of(function: ast.FunctionDef) -> list[str]:
    """Names that a caller gives, without self, cls and private ones."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [a.arg for a in named if a.arg not in ("self", "cls") and not a.arg.startswith("_")]


def section_on_parameters(text: str) -> str | None:
    """Return the body of a docstring's Parameters section."""
    found = re.search(
        r"^Parameters\n-{3,}\n(.*?)(?:\n\n\S[^\n]*\n-{3,}\n|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return found.group(1) if found else None


def faults_of(name: str, node: Documented) -> Iterator[str]:
    """What is missing from the docstring of one public thing."""
    if isinstance(node, ast.FunctionDef) and decorators_of(node) & {"setter", "overload", "override"}:
        return
    text = ast.get_docstring(node)
    if not text:
        yield f"{name}: no docstring"
    elif isinstance(node, ast.FunctionDef) and room_of(name) != "cli":
        parameters = parameters_of(node)
        section = section_on_parameters(text)
        if section is None and len(parameters) > 1:
            yield f"{name}: no Parameters section"
        elif section is not None:
            told = re.findall(r"^([\w*, ]+?)(?: ?:.*)?$", section, re.MULTILINE)
            words = {word for line in told for word in re.findall(r"\w+", line)}
            yield from (
                f"{name}: the Parameters section leaves out {p}" for p in parameters if p not in words
            )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_is_documented(path: Path) -> None:
    """All of it has a docstring; a function of two parameters or more has a section that names each of them.

    One parameter may be told in the first sentence. Setters, overloads and overrides speak through what they
    belong to; a command's parameters are documented where `--help` finds them.
    """
    faults = [fault for name, node in documented_things(path) for fault in faults_of(name, node)]
    assert not faults, "\n".join(faults)


# What is kept in the repository


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("this is not a git clone")
    return [TOP / name for name in listing.stdout.split("\0") if name and (TOP / name).is_file()]


def test_no_machine_path_and_no_registry_address_is_kept() -> None:
    """Files name no one's folders and no registry's address: they work anywhere, behind any mirror."""
    kept_out = re.compile(
        r"(?<![\w/.:$}-])/(home|Users|root|work|opt|tmp)/\w|[A-Z]:\\(Users|Windows)|py(pi\.org|thonhosted\.org)"
    )
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture, or a case of a binary file
        found += [
            f"{path.relative_to(TOP)}:{n}: {line.strip()}"
            for n, line in enumerate(text.splitlines(), 1)
            if kept_out.search(line)
        ]
    assert not found, "\n".join(found)


def test_locks_pin_everything_with_hashes() -> None:
    locks = sorted((TOP / "requirements").glob("*.txt"))
    assert [lock.name for lock in locks] == [
        f"{prefix}{line}.txt" for prefix in ("bench-", "", "test-") for line in ("py311", "py312")
    ]
    for lock in locks:
        entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
        for entry in entries:
            assert entry.startswith("#") or re.match(
                r"[\w.-]+==\S+.*--hash=sha256:[0-9a-f]{64}", entry, re.DOTALL
            ), entry


def test_tests_and_bench_run_on_what_users_run_on() -> None:
    for line in ("py311", "py312"):
        runtime, tests, bench = (
            set(
                re.findall(
                    r"^([\w.-]+==\S+)",
                    (TOP / "requirements" / f"{prefix}{line}.txt").read_text("utf-8"),
                    re.MULTILINE,
                )
            )
            for prefix in ("", "test-", "bench-")
        )
        assert runtime <= tests
        assert runtime <= bench


# Errors


def test_every_error_of_ours_is_a_mobsim_error_with_an_exit_code() -> None:
    ours = [
        thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)
    ]
    assert errors.MobsimError in ours
    for error in ours:
        assert issubclass(error, errors.MobsimError)
        assert error.exit_code in (1, 2, 3)


def test_no_other_module_makes_an_error_tree_of_its_own() -> None:
    for path in MODULES:
        if path.name == "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
                assert bases.isdisjoint({"Exception", "ValueError", "RuntimeError", "TypeError"}), (
                    f"{path}: {node.name}"
                )


def test_nobody_calls_an_internal_kernel_from_python() -> None:
    """Internal kernels are compiled without what a call from Python needs: such a call would crash."""
    kernels = SOURCE / "kernels"
    internal = {
        name
        for path in kernels.glob("*.py")
        for name in re.findall(r"@(?:internal|phase)\ndef (\w+)\(", path.read_text("utf-8"))
    }
    assert "deliver_week" in internal
    others = [*MODULES, *(TOP / "tests").rglob("*.py"), *(TOP / "benchmarks").rglob("*.py")]
    for path in others:
        if path.parent == kernels:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mobsim.kernels"):
                called = internal & {alias.name for alias in node.names}
                assert not called, f"{path}: {called} can only be called by kernels"
