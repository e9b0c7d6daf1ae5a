"""Ways around work that numba would do in vain while it compiles the kernels: half of the time.

- Numba optimizes every function and makes machine code of it, and does both again in every function that
  calls it. For a function that Python cannot call the first time is wasted: `PartLibrary` keeps it as it is
  until a kernel takes it in.
- Functions that numba compiles on its own account (`np.empty` and the like) get an entry for C that nobody
  uses.
- Which variables are alive where is found with sets of names; numbers whose bits stand for names do it in a
  fraction of the time.
- Compiler flags are compared option by option, some ten thousand times; every operation on two numbers is
  first looked up among NumPy's functions of arrays; every call of LLVM is timed by all functions that are
  being compiled.

None of it changes what is compiled. It relies on how numba works inside, so it is done for versions on which
it was tried, and only while a kernel of this package is compiled; any other version compiles the same kernels
more slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import analysis, event, types
from numba.core.codegen import JITCodeLibrary
from numba.core.lowering import BaseLower
from numba.core.registry import cpu_target
from numba.core.targetconfig import TargetConfig
from numba.core.typing.npydecl import NumpyRulesArrayOperator

TRIED = ("0.68.",)
"""Versions of numba on which this was tried."""


class PartLibrary(JITCodeLibrary):
    """Code of one function, made into machine code only when somebody asks for something in it."""

    _linked = False

    def _ensure_finalized(self) -> None:
        """Be ready to be taken in by a caller: contain all that is called."""
        if not self._finalized and not self._linked:
            self._link()

    def _link(self) -> None:
        self._linked = True
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)

    def finalize(self) -> None:
        """Optimize, and make machine code."""
        if self._linked:
            self._linking_libraries = []
        super().finalize()
        self._shared_module = None

    def get_pointer_to_function(self, name: str) -> int:
        """Return the address of a function, 0 if there is none of this name.

        Parameters
        ----------
        name : as the compiled code calls it.
        """
        if not self._finalized:
            try:
                if self.get_function(name).is_declaration:
                    return 0
            except NameError:
                return 0
            self.finalize()
        return int(super().get_pointer_to_function(name))

    def serialize_using_object_code(self) -> Any:
        """Return what is kept on disk."""
        if not self._finalized:
            self.finalize()
        return super().serialize_using_object_code()


def live_variables(cfg: Any, blocks: Any, uses: Any, definitions: Any) -> dict[int, set[str]]:
    """Return the variables that are alive at the entry of every block, as `numba.core.analysis` defines it.

    Parameters
    ----------
    cfg : the graph of the blocks.
    blocks : by offset.
    uses, definitions : names of variables by offset.
    """
    names = list(
        dict.fromkeys(name for by_block in (uses, definitions) for o in blocks for name in by_block[o])
    )
    bit_of = {name: 1 << number for number, name in enumerate(names)}
    used = {offset: sum(bit_of[name] for name in uses[offset]) for offset in blocks}
    defined = {offset: sum(bit_of[name] for name in definitions[offset]) for offset in blocks}
    order = cfg.topo_order()
    after = {offset: [block for block, _ in cfg.successors(offset)] for offset in order}
    before = {offset: [block for block, _ in cfg.predecessors(offset)] for offset in order}
    reached = dict.fromkeys((*order, *blocks), 0)
    known = None
    while known != reached:
        known = dict(reached)
        for offset in order:
            reached[offset] |= defined[offset] | used[offset]
            for block in after[offset]:
                reached[block] |= reached[offset]
    alive = dict(used)
    known = None
    while known != alive:
        known = dict(alive)
        for offset in reversed(order):
            for block in before[offset]:
                alive[block] |= alive[offset] & reached[block] & ~defined[block]
    return {offset: _names_of(alive[offset], names) for offset in blocks}


def _names_of(bits: int, names: list[str]) -> set[str]:
    """Return the names whose bits are set."""
    found = set()
    while bits:
        lowest = bits & -bits
        found.add(names[lowest.bit_length() - 1])
        bits ^= lowest
    return found


def _values(self: Any) -> dict[str, Any]:
    """All options of a configuration with their values."""
    return {name: self._values.get(name, option.default) for name, option in self.options.items()}


def _equal(self: Any, other: Any) -> Any:
    """Whether two configurations have the same values."""
    if self is other:
        return True
    return self.values() == other.values() if isinstance(other, TargetConfig) else NotImplemented


def _hash(self: Any) -> int:
    """What numba takes as the hash of a configuration."""
    return hash(tuple(sorted(self.options)))


_array_operator = NumpyRulesArrayOperator.generic
_start_event = event.start_event
_end_event = event.end_event


def _array_operator_of_arrays(self: Any, given: Any, keywords: Any) -> Any:
    """NumPy's rule for an operator, if there is an array among what it works on."""
    plain = (kind.type if isinstance(kind, types.Optional) else kind for kind in given)
    if any(isinstance(kind, types.ArrayCompatible) for kind in plain):
        return _array_operator(self, given, keywords)
    return None


def _start_other_event(kind: str, *given: Any, **named: Any) -> None:
    """Tell of the start of anything but a call of LLVM."""
    if kind != "numba:llvm_lock":
        _start_event(kind, *given, **named)


def _end_other_event(kind: str, *given: Any, **named: Any) -> None:
    """Tell of the end of anything but a call of LLVM."""
    if kind != "numba:llvm_lock":
        _end_event(kind, *given, **named)


_REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (analysis, "compute_live_map", live_variables),
    (BaseLower, "create_cfunc_wrapper", lambda _self: None),
    (TargetConfig, "values", _values),
    (TargetConfig, "__eq__", _equal),
    (TargetConfig, "__hash__", _hash),
    (NumpyRulesArrayOperator, "generic", _array_operator_of_arrays),
    (event, "start_event", _start_other_event),
    (event, "end_event", _end_other_event),
)


class _Quicker(event.Listener):
    """Take these ways while a kernel of this package is compiled, and for what it calls."""

    def __init__(self) -> None:
        self.depth = 0
        self.before: list[Callable[..., Any]] = []
        self.codegen = cpu_target.target_context.codegen()
        usual_set_env = self.codegen.set_env

        def set_env(name: str, environment: Any) -> None:
            if self.codegen._engine.is_symbol_defined(name):
                usual_set_env(name, environment)

        self.codegen.set_env = set_env

    def on_start(self, started: Any) -> None:
        function = getattr(started.data["dispatcher"], "py_func", None)
        if not self.depth and not str(getattr(function, "__module__", "")).startswith("mobsim.kernels."):
            return
        self.depth += 1
        if self.depth == 1:
            self.codegen._library_class = PartLibrary
            self.before = [getattr(owner, name) for owner, name, _ in _REPLACED]
            for owner, name, replacement in _REPLACED:
                setattr(owner, name, replacement)

    def on_end(self, _ended: Any) -> None:
        if not self.depth:
            return
        self.depth -= 1
        if self.depth == 0:
            self.codegen._library_class = JITCodeLibrary
            for (owner, name, _), usual in zip(_REPLACED, self.before, strict=True):
                setattr(owner, name, usual)


def compile_quicker() -> None:
    """Take these ways from now on, if this version of numba is known."""
    if numba.__version__.startswith(TRIED):
        event.register("numba:compile", _Quicker())
