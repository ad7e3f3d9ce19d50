"""Handles of the C interface, and calls on it."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from . import _c
from .errors import CancelledError, LimitError, StateError, from_c


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a code and takes an error last; raises what it says."""
    error = _c.Error()
    if getattr(_c.library, name)(*arguments, ctypes.byref(error)) != 0:
        raise from_c(error)


class Handle:
    """Frees what it holds when the last one who uses it is gone: views of its memory, and calls that run."""

    __slots__ = ("pointer", "_free", "__weakref__")

    def __init__(self, free: str, make: str, *arguments: Any) -> None:
        self._free: Callable[[Any], None] | None = None
        out = ctypes.c_void_p()
        call(make, *arguments, ctypes.byref(out))
        self.pointer = out
        self._free = getattr(_c.library, free)

    def __del__(self) -> None:
        if self._free is not None:
            self._free(self.pointer)


class Closable:
    """What has a lifetime: use it with `with`, call close(), or let it go."""

    def __init__(self, handle: Handle) -> None:
        self._held: Handle | None = handle

    @property
    def _handle(self) -> Handle:
        handle = self._held
        if handle is None:
            raise StateError(f"the {type(self).__name__} is closed", field=type(self).__name__.lower())
        return handle

    @property
    def closed(self) -> bool:
        return self._held is None

    def close(self) -> None:
        """May be called again. A call that runs in another thread, and views of the memory, keep it until they end."""
        self._held = None

    def __enter__(self) -> Any:
        self._handle
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tokens_array(tokens: Any) -> ctypes.Array[Any]:
    ids = list(tokens)
    return (_c.token * len(ids))(*ids)


def _filled(kind: Any, name: str, *arguments: Any) -> Any:
    """What a function gives that takes an array, its capacity and a count: the array, as long as it is filled."""
    capacity = 4096
    count = ctypes.c_size_t()
    while True:
        array = (kind * capacity)()
        try:
            call(name, *arguments, array, capacity, ctypes.byref(count))
        except LimitError as error:
            if error.field != "capacity":
                raise
            capacity = count.value
            continue
        return array, count.value


def text_of(name: str, *arguments: Any) -> bytes:
    array, count = _filled(ctypes.c_char, name, *arguments)
    return bytes(memoryview(array)[:count])


def tokens_of(name: str, *arguments: Any) -> list[int]:
    array, count = _filled(_c.token, name, *arguments)
    return list(array[:count])


class Cancel:
    """Ends the calls that were given it, and no others, from any thread: request() may come at any time, and stays."""

    def __init__(self) -> None:
        self._handle = Handle("lfm_cancel_free", "lfm_cancel_new")
        self._requested = False

    def request(self) -> None:
        self._requested = True
        _c.library.lfm_cancel_request(self._handle.pointer)


class Caught:
    """Keeps what a callback raised, which can't go through C, until the call is over.

    What a signal's handler raises as a callback begins, Ctrl-C above all, is lost in ctypes; it shows in a call that
    was ended and by nobody."""

    def __init__(self, *cancels: Any) -> None:
        self._error: BaseException | None = None
        self._cancels = [cancel for cancel in cancels if cancel is not None]
        self._refused = False

    def guard(self, function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
        def guarded(*arguments: Any) -> Any:
            if self._error is not None:
                return failed
            try:
                result = function(*arguments)
            except BaseException as error:  # whatever it is, it is raised again when the call is over
                self._error = error
                return failed
            self._refused |= result == failed
            return result
        return guarded

    def ended(self) -> None:
        """To be called where the call says that it was cancelled."""
        if not self._refused and not any(cancel._requested for cancel in self._cancels):
            raise KeyboardInterrupt

    def __enter__(self) -> Caught:
        return self

    def __exit__(self, _: object, raised: object, __: object) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error from error.__cause__  # not from what C said of it
        if isinstance(raised, CancelledError):
            self.ended()
