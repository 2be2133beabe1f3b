"""The decorator of compiled kernels, and the machine operations that numba does not offer by itself."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_item_pointer, raw_memcpy
from numba.extending import intrinsic

from polyculture.compute.kernel_cache import kernel_folder

numba.config.CACHE_DIR = kernel_folder(os.environ)  # type: ignore[attr-defined]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(*signatures: object) -> Callable[[Kernel], Kernel]:
    """Compile with numba for the given signatures, without the interpreter lock; kept on disk for the next process.

    With signatures a kernel is compiled (or loaded) when its module is imported; without, when it is first called or
    when the kernel that calls it is compiled.
    """

    def decorate(function: Kernel) -> Kernel:
        kernel: Any = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
        # numba keeps a kernel until its own file changes; one that it calls may lie in another.
        kernel._cache._cache_file._source_stamp = _kernels_stamp()
        for signature in signatures:
            kernel.compile(signature)
        if signatures:
            kernel.disable_compile()
        return cast("Kernel", kernel)

    return decorate


@cache
def _kernels_stamp() -> str:
    """Digest of the source of all kernels together."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        source = path.read_bytes()
        if b"polyculture.compute.compiled" in source or path == Path(__file__):
            digest.update(source)
    return digest.hexdigest()


def read_only(element: Any) -> Any:
    """The type of a one-dimensional contiguous array that a kernel only reads; a writable one is taken too."""
    return types.Array(element, 1, "C", readonly=True)


def tuple_of(*elements: Any) -> Any:
    """The type of a tuple."""
    return types.Tuple(elements)  # type: ignore[no-untyped-call]


def byte_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Pointer to an element of a byte array, for intrinsics; nothing checks the index."""
    structure = context.make_array(array_type)(context, builder, array)
    return get_item_pointer(  # type: ignore[no-untyped-call]
        context, builder, array_type, structure, [index], wraparound=False, boundscheck=False
    )


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    return builder.bitcast(byte_pointer(context, builder, array_type, array, index), ir.IntType(64).as_pointer())


def _load64(typing_context: Any, array: Any, index: Any) -> Any:
    """Eight bytes of a byte array from any position, the first one lowest; the caller keeps within the array."""
    del typing_context, index

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_pointer(context, builder, signature.args[0], *arguments))
        value.align = 1
        return value

    return types.uint64(array, types.intp), generate


def _store64(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write eight bytes of a byte array at any position, the lowest first; the caller keeps within the array."""
    del typing_context, index, value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, at, content = arguments
        stored = builder.store(content, _pointer(context, builder, signature.args[0], target, at))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), generate


def _trailing_zeros(typing_context: Any, value: Any) -> Any:
    """Zero bits below the lowest one bit of a 64-bit word; 64 for zero."""
    del typing_context, value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


def _as_pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer, for `bytes_at`."""
    del typing_context, address

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uint64), generate


def _copy_bytes(typing_context: Any, target: Any, at: Any, address: Any, size: Any) -> Any:
    """Copy bytes from an address into a byte array; the caller keeps within both, and they do not overlap."""
    del typing_context, at, address, size

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place, origin, count = arguments
        source = builder.inttoptr(origin, ir.IntType(8).as_pointer())
        raw_memcpy(builder, byte_pointer(context, builder, signature.args[0], array, place), source, count, 1)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(target, types.intp, types.uint64, types.intp), generate


copy_bytes: Any = intrinsic(_copy_bytes)
load64: Any = intrinsic(_load64)
store64: Any = intrinsic(_store64)
trailing_zeros: Any = intrinsic(_trailing_zeros)
as_pointer: Any = intrinsic(_as_pointer)


@compiled()
def bytes_at(address: Any, size: Any) -> Any:
    """The bytes from an address on, as an array; whoever gave the address keeps them alive."""
    return numba.carray(  # type: ignore[attr-defined]
        as_pointer(address), (size,), np.uint8
    )


@compiled()
def elements_at(address: Any, count: Any, kind: Any) -> Any:
    """The elements of a type from an address on, as an array; whoever gave the address keeps them alive."""
    return numba.carray(  # type: ignore[attr-defined]
        as_pointer(address), (count,), kind
    )
