"""The decorator of compiled kernels."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile with numba: without the interpreter lock, and kept on disk for the next process.

    The first call on a machine compiles for some seconds.
    """
    kernel: Any = numba.njit(nogil=True, cache=True)(function)
    return cast("Kernel", kernel)
