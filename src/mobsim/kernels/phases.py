"""Phases: kernels that other kernels call by their address, so that each is compiled once and apart."""

from __future__ import annotations

from typing import Any

import numba
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from mobsim.kernels.kept import alone


def address_of(function: Any, *arguments: Any) -> int:
    """Return where the compiled code of a phase lies; compile it first if need be.

    Parameters
    ----------
    function : a function decorated with `phase`.
    arguments : numba types of its arguments, or how numba writes them.
    """
    kinds = tuple(numba.typeof(0) if a == "int64" else _kind(a) for a in arguments)
    with alone(function.py_func.__name__):
        function.compile(kinds)
    compiled = function.overloads[kinds]
    with global_compiler_lock:  # what is not kept on disk is made into machine code only now
        return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def _kind(argument: Any) -> Any:
    """Return a type as it is, or the one that a string such as `int64[:, ::1]` names."""
    if not isinstance(argument, str):
        return argument
    name, brackets = argument.split("[", 1)
    return types.Array(getattr(types, name), brackets.count(",") + 1, "C")


@intrinsic
def _call_phase(_typing: Any, address: Any, arguments: Any) -> Any:
    kinds = [types.unliteral(kind) for kind in arguments.types]

    def call(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        where, packed = values
        convention = context.call_conv
        function = builder.inttoptr(where, convention.get_function_type(types.none, kinds).as_pointer())
        given = cgutils.unpack_tuple(builder, packed)
        status, _ = convention.call_function(builder, function, types.none, kinds, given)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.none(types.int64, types.Tuple(kinds)), call


call_phase: Any = _call_phase
"""Call the phase at an address, as `address_of` gave it for exactly these types, with a tuple of values."""
