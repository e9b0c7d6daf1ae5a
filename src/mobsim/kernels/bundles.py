"""Bundles: several arrays and numbers that a kernel takes as one argument, one pointer in compiled code.

A bundle lists, in a block of memory, where its arrays lie and how long they are. A kernel gets the address
of this block and reads from it what it uses. Tuples of arrays instead would be handed on field by field, some
hundred numbers in every call: most of the time of compiling went there, and at run time every array that is
taken out of a tuple costs two atomic counts of references.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, imputils, types
from numba.core.typing.templates import AttributeTemplate
from numba.core.typing.templates import infer_getattr as register_attributes
from numba.extending import (
    NativeValue,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array


class BundleType(types.Type):
    """Numba's type of a bundle: the name of its class, and the type and place of every field.

    Parameters
    ----------
    name : name of the class.
    fields : name, kind ("array", "int" or "float"), dtype and number of dimensions of every field.
    """

    def __init__(self, name: str, fields: tuple[tuple[str, str, str, int], ...]) -> None:
        self.fields = fields
        # Names of compiled functions contain the names of types: long ones cost time.
        super().__init__(name=f"{name}_{hashlib.sha256(repr(fields).encode()).hexdigest()[:8]}")

    def place_of(self, attribute: str) -> tuple[int, Any] | None:
        """Return the first word and the numba type of a field, or none if there is no such field.

        Parameters
        ----------
        attribute : name of the field.
        """
        return _places(self.fields).get(attribute)


@cache
def _places(fields: tuple[tuple[str, str, str, int], ...]) -> dict[str, tuple[int, Any]]:
    places: dict[str, tuple[int, Any]] = {}
    word = 0
    for name, kind, dtype, ndim in fields:
        if kind == "array":
            places[name] = word, types.Array(numba.from_dtype(np.dtype(dtype)), ndim, "C")
            word += 1 + ndim
        else:
            places[name] = word, types.int64 if kind == "int" else types.float64
            word += 1
    return places


@cache
def _type_of(name: str, fields: tuple[tuple[str, str, str, int], ...]) -> BundleType:
    return BundleType(name, fields)


class Bundle:
    """Base of the frozen dataclasses that kernels take as one argument.

    Fields are C-contiguous arrays, `int` or `float`; the arrays may be written to, not exchanged.

    Raises
    ------
    TypeError : if a field is neither a C-contiguous array nor a number.
    """

    def __post_init__(self) -> None:
        fields = []
        words: list[int] = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous:
                    raise TypeError(f"{type(self).__name__}.{field.name} is not a C-contiguous array")
                fields.append((field.name, "array", value.dtype.str, value.ndim))
                words += [value.__array_interface__["data"][0], *value.shape]
            elif isinstance(value, (int, np.integer)):
                fields.append((field.name, "int", "", 0))
                words.append(int(value))
            elif isinstance(value, (float, np.floating)):
                fields.append((field.name, "float", "", 0))
                words.append(int(np.float64(value).view(np.int64)))
            else:
                raise TypeError(f"{type(self).__name__}.{field.name} is neither an array nor a number")
        block = np.array(words, np.int64)
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_address", block.__array_interface__["data"][0])
        object.__setattr__(self, "_layout", _type_of(type(self).__name__, tuple(fields)))

    @property
    def layout(self) -> BundleType:
        """The numba type."""
        return self.__dict__["_layout"]  # type: ignore[no-any-return]


@typeof_impl.register(Bundle)
def _typeof_bundle(value: Bundle, _context: Any) -> BundleType:
    return value.layout


@register_model(BundleType)
class _BundleModel(models.PrimitiveModel):
    """An address."""

    def __init__(self, manager: Any, kind: BundleType) -> None:
        super().__init__(manager, kind, ir.IntType(8).as_pointer())


@unbox(BundleType)
def _unbox_bundle(_kind: BundleType, value: Any, compiler: Any) -> NativeValue:
    address = compiler.pyapi.object_getattr_string(value, "_address")
    pointer = compiler.pyapi.long_as_voidptr(address)
    compiler.pyapi.decref(address)
    return NativeValue(pointer)


@register_attributes
class _BundleAttributes(AttributeTemplate):
    """Which attributes a bundle has."""

    key = BundleType

    def generic_resolve(self, bundle: BundleType, attribute: str) -> Any:  # type: ignore[override]
        place = bundle.place_of(attribute)
        return place[1] if place else None


@lower_getattr_generic(BundleType)
def _read_field(context: Any, builder: Any, bundle: BundleType, pointer: Any, attribute: str) -> Any:
    """Read a number, or make an array that counts no references: the caller keeps the bundle alive."""
    place = bundle.place_of(attribute)
    assert place is not None
    first, kind = place
    words = builder.bitcast(pointer, ir.IntType(64).as_pointer())

    def word(number: int) -> Any:
        value = builder.load(cgutils.gep_inbounds(builder, words, first + number))
        # The list never changes, whatever the kernel writes: the compiler may keep what it has read.
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    if not isinstance(kind, types.Array):
        value = word(0)
        return value if kind == types.int64 else builder.bitcast(value, ir.DoubleType())
    shape = [word(1 + axis) for axis in range(kind.ndim)]
    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [context.get_constant(types.intp, item)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = make_array(kind)(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(word(0), context.get_data_type(kind.dtype).as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=context.get_constant(types.intp, item),
        meminfo=None,
    )
    return imputils.impl_ret_borrowed(context, builder, kind, array._getvalue())
