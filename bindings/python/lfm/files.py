"""Packed files: a model's weights as they are used, written once and mapped at every start."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

from . import _c
from ._handle import Cancel, Caught, call
from .engine import _DENSE, _choice
from .generation import Progress, progress_of


@dataclass(frozen=True)
class PackInfo:
    source_name: str
    file_bytes: int
    weight_bytes: int
    dense_backend: str


def _packing(name: str, paths: list[bytes], options: _c.PackOptions, progress: Progress | None,
             cancel: Cancel | None) -> PackInfo:
    caught, info = Caught(cancel), _c.PackInfo()
    options.progress = progress_of(progress, caught)
    options.cancel = cancel._handle.pointer if cancel is not None else None
    with caught:
        call(name, *paths, ctypes.byref(options), ctypes.byref(info))
    return PackInfo(info.source_name.decode("utf-8", "replace"), info.file_bytes, info.weight_bytes,
                    "xnnpack" if info.xnnpack else "native")


def pack(model: str | os.PathLike[str], out: str | os.PathLike[str], *, dense: str = "auto", threads: int = 0,
         overwrite: bool = False, progress: Progress | None = None, cancel: Cancel | None = None) -> PackInfo:
    """`out` appears complete or not at all."""
    options = _c.PackOptions(threads=threads, dense=_choice(dense, _DENSE, "dense"), overwrite=overwrite)
    return _packing("lfm_pack", [os.fsencode(model), os.fsencode(out)], options, progress, cancel)


def verify_pack(path: str | os.PathLike[str], *, threads: int = 0, progress: Progress | None = None,
                cancel: Cancel | None = None) -> PackInfo:
    """Reads a packed file completely and compares it with its checksums: FormatError where it is damaged."""
    return _packing("lfm_verify_pack", [os.fsencode(path)], _c.PackOptions(threads=threads), progress, cancel)
