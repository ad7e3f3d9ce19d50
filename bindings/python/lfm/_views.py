"""Memory of the library as Python sees it, without copies: numpy arrays where there is numpy, else memoryviews."""

from __future__ import annotations

import ctypes
from typing import Any

try:
    import numpy
except ImportError:
    numpy = None  # type: ignore[assignment]

_TYPES: dict[str, Any] = {"f": ctypes.c_float, "I": ctypes.c_uint32}


def view(pointer: Any, count: int, kind: str, owner: object = None, writable: bool = False) -> Any:
    """`owner` lives as long as the view does."""
    if not pointer:
        array = (_TYPES[kind] * 0)()
    else:
        array = (_TYPES[kind] * count).from_address(ctypes.addressof(pointer.contents))
        array._owner = owner
    if numpy is not None:
        out = numpy.ctypeslib.as_array(array)
        out.flags.writeable = writable
        return out
    flat = memoryview(array).cast("B").cast(kind)
    return flat if writable else flat.toreadonly()
