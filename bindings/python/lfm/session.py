"""One conversation with a model, token by token."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Callable, Sequence

from . import _c
from ._handle import Cancel, Caught, Closable, Handle, call, tokens_array
from ._views import view
from .generation import Finish, FinishReason, GenerateOptions, Piece, Progress, Request, progress_of
from .stream import AsyncStream, Stream, in_thread

if TYPE_CHECKING:
    from .engine import Engine
    from .generation import Unpack


@dataclass(frozen=True)
class SyncInfo:
    reused: int  # tokens whose state was there already
    evaluated: int  # tokens that ran through the network


@dataclass(frozen=True)
class SessionStats:
    reused_tokens: int
    prompt_tokens: int
    prompt_seconds: float
    generated_tokens: int
    generate_seconds: float
    generate_passes: int  # as Finish has them
    drafted_tokens: int
    accepted_tokens: int


class CacheType(IntEnum):
    """How keys or values are kept, which is what every token reads of the whole context."""

    F16 = 0
    Q8_0 = 1  # 8 bits and a scale for each 32: about half the memory and time, hardly less exact


class Session(Closable):
    """The tokens so far, and what the network remembers of them. For one thread at a time, cancel() excepted; different
    sessions, forks of one included, for any number of threads at once."""

    def __init__(self, engine: Engine, *, context_tokens: int = 0, snapshot_bytes: int = 0,
                 cache_keys: CacheType = CacheType.F16, cache_values: CacheType = CacheType.F16,
                 _handle: Handle | None = None) -> None:
        """context_tokens: room; 0 is what the model was trained for, at most 32768."""
        if _handle is None:
            options = _c.SessionOptions(context_tokens=context_tokens, snapshot_bytes=snapshot_bytes,
                                        cache_keys=cache_keys, cache_values=cache_values)
            _handle = Handle("lfm_session_free", "lfm_session_new", engine._handle.pointer, ctypes.byref(options))
        super().__init__(_handle)
        self.engine = engine
        self._requested = False  # to be cancelled, by cancel()

    def sync(self, tokens: Sequence[int], *, ends: Sequence[int] = (), cancel: Cancel | None = None,
             progress: Progress | None = None) -> SyncInfo:
        """Makes the session's tokens exactly these, keeping the longest common beginning: an edit, another answer and
        going back are this. ends: numbers of tokens after which a message ends, so that an edit there is cheap."""
        handle, ids, marks = self._handle, tokens_array(tokens), (ctypes.c_size_t * len(ends))(*ends)
        caught, info = Caught(self, cancel), _c.SyncInfo()
        options = _c.SyncOptions(ends=marks, end_count=len(ends), progress=progress_of(progress, caught),
                                 cancel=cancel._handle.pointer if cancel is not None else None)
        with caught:
            call("lfm_session_sync", handle.pointer, ids, len(ids), ctypes.byref(options), ctypes.byref(info))
        return SyncInfo(info.reused, info.evaluated)

    def append(self, tokens: Sequence[int], *, each: Callable[[Any], Any] | None = None) -> None:
        """Adds tokens at the end. each: sees the logits after every one of them, in order; valid during its call."""
        handle, ids = self._handle, tokens_array(tokens)
        if each is None:
            return call("lfm_session_append", handle.pointer, ids, len(ids))
        caught, see = Caught(), each

        def show(logits: Any, count: int, _: Any) -> None:
            see(view(logits, count, "f"))
        callback = _c.EachLogits(caught.guard(show, None))
        with caught:
            call("lfm_session_append_each", handle.pointer, ids, len(ids), callback, None)

    def generate(self, on_piece: Callable[[Piece], Any] | None = None, **options: Unpack[GenerateOptions]) -> Finish:
        """Samples and appends tokens until something ends it. on_piece: called with each piece; False ends it, and what
        it raises is raised here."""
        handle, caught = self._handle, Caught(self, options.get("cancel"))
        request = Request(options, caught, on_piece, view)
        finish = _c.Finish()
        with caught:
            call("lfm_session_generate", handle.pointer, ctypes.byref(request.options), request.callback, None,
                 ctypes.byref(finish))
            if finish.reason == FinishReason.CANCELLED:
                caught.ended()
        return Finish._from_c(finish)

    def stream(self, **options: Unpack[GenerateOptions]) -> Stream[Finish]:
        """The pieces as an iterator. Without `cancel`, which it has a method for."""
        return Stream(self._run(options))

    async def generate_async(self, **options: Unpack[GenerateOptions]) -> Finish:
        return await in_thread(self._run(options))

    def stream_async(self, **options: Unpack[GenerateOptions]) -> AsyncStream[Finish]:
        return AsyncStream(self._run(options))

    def _run(self, options: GenerateOptions) -> Any:
        return lambda on_piece, cancel: self.generate(on_piece, **{"cancel": cancel, **options})

    def cancel(self) -> None:
        """Ends what runs in another thread, or else what is called next, unless clear_cancel() takes that back. A
        Cancel, given to a call, ends that one and no other."""
        self._requested = True
        _c.library.lfm_session_cancel(self._handle.pointer)

    def clear_cancel(self) -> None:
        self._requested = False
        _c.library.lfm_session_clear_cancel(self._handle.pointer)

    def fork(self) -> Session:
        """Another session with the same tokens and states, independent of this one."""
        return Session(self.engine, _handle=Handle("lfm_session_free", "lfm_session_fork", self._handle.pointer))

    def save(self, path: str | os.PathLike[str]) -> None:
        call("lfm_session_save", self._handle.pointer, os.fsencode(path))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Makes this session what was saved; it stays as it was where that fails."""
        call("lfm_session_load", self._handle.pointer, os.fsencode(path))

    @property
    def tokens(self) -> list[int]:
        count = ctypes.c_size_t()
        tokens = _c.library.lfm_session_tokens(self._handle.pointer, ctypes.byref(count))
        return list(tokens[:count.value])

    @property
    def logits(self) -> Any:
        """Those after the last token, one for each of the vocabulary: a view of the session's memory, read-only, which
        changes with the session. A numpy array where there is numpy, else a memoryview. Empty without tokens."""
        handle, count = self._handle, ctypes.c_size_t()
        logits = _c.library.lfm_session_logits(handle.pointer, ctypes.byref(count))
        return view(logits, count.value, "f", owner=handle)

    @property
    def context_tokens(self) -> int:
        return int(_c.library.lfm_session_context_tokens(self._handle.pointer))

    @property
    def stats(self) -> SessionStats:
        out = _c.SessionStats()
        call("lfm_session_get_stats", self._handle.pointer, ctypes.byref(out))
        return SessionStats(*(getattr(out, name) for name, *_ in _c.SessionStats._fields_[1:]))
