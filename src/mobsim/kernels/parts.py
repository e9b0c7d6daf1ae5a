"""Functions that only kernels call are not made into machine code of their own.

Numba optimizes every function and makes machine code of it, and does both again in every function that calls
it. For a function that Python cannot call the first time is wasted. Here such a function is kept as it is
until a kernel takes it in. This relies on how numba works inside, so it is done for versions on which it was
tried only; any other version compiles the same kernels, more slowly.
"""

from __future__ import annotations

from typing import Any

import numba
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

TRIED = ("0.68",)
"""Versions of numba on which this was tried."""


class PartLibrary(JITCodeLibrary):  # type: ignore[misc]
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


class _Parts(event.Listener):  # type: ignore[misc]
    """Use `PartLibrary` while a kernel of this package is compiled, and for what it calls."""

    def __init__(self) -> None:
        self.depth = 0
        self.codegen = cpu_target.target_context.codegen()
        usual_set_env = self.codegen.set_env

        def set_env(name: str, environment: Any) -> None:
            if self.codegen._engine.is_symbol_defined(name):
                usual_set_env(name, environment)

        self.codegen.set_env = set_env

    def on_start(self, started: Any) -> None:
        function = getattr(started.data["dispatcher"], "py_func", None)
        if self.depth or str(getattr(function, "__module__", "")).startswith("mobsim.kernels."):
            self.depth += 1
            self.codegen._library_class = PartLibrary

    def on_end(self, _ended: Any) -> None:
        if self.depth:
            self.depth -= 1
            if not self.depth:
                self.codegen._library_class = JITCodeLibrary


def use_parts() -> None:
    """Compile kernels in this way from now on, if this version of numba is known."""
    if numba.__version__.startswith(TRIED):
        event.register("numba:compile", _Parts())
