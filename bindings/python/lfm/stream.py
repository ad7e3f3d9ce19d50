"""Generations as iterators: a thread of its own makes the call, and what comes back there is handed over."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any, AsyncIterator, Awaitable, Callable, Generic, Iterator, TypeVar

from ._handle import Cancel
from .errors import CancelledError
from .generation import Piece

T = TypeVar("T")
Run = Callable[[Callable[[Piece], Any], Cancel], T]  # (on_piece, cancel) to the result


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Done(Generic[T]):
    def __init__(self, result: T) -> None:
        self.result = result


def _outcome(end: _Done[T] | _Failed | None) -> T:
    if isinstance(end, _Done):
        return end.result
    assert end is not None
    raise end.error


def _start(run: Run[T], put: Callable[[Any], Any], cancel: Cancel) -> threading.Thread:
    def work() -> None:
        try:
            put(_Done(run(put, cancel)))
        except BaseException as error:  # which is the reader's
            put(_Failed(error))
    thread = threading.Thread(target=work, name="lfm", daemon=True)
    thread.start()
    return thread


class Stream(Generic[T], Iterator[Piece]):
    """Pieces as they come; `result` is the Finish, or a chat's Answer, once they are all there. close(), the end of a
    `with`, and letting go of it end the generation."""

    def __init__(self, run: Run[T]) -> None:
        self._pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._cancel = Cancel()
        self._end: _Done[T] | _Failed | None = None
        self._thread = _start(run, self._pieces.put, self._cancel)

    def __iter__(self) -> Stream[T]:
        return self

    def __next__(self) -> Piece:
        if self._end is None:
            item = self._pieces.get()
            if isinstance(item, Piece):
                return item
            self._end = item
            self._thread.join()
            if isinstance(item, _Failed):
                raise item.error
        raise StopIteration

    @property
    def result(self) -> T:
        """Waits for it, and reads over what pieces are left."""
        for _ in self:
            pass
        return _outcome(self._end)

    def cancel(self) -> None:
        """Ends the generation; what was said until then still comes, and so does the result."""
        self._cancel.request()

    def close(self) -> None:
        self._cancel.request()
        self._thread.join()

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_cancel"):
            self._cancel.request()


class AsyncStream(Generic[T], AsyncIterator[Piece]):
    """The same for asyncio: `async for piece in ...`, then `await stream.result()`. A cancelled task ends it."""

    def __init__(self, run: Run[T]) -> None:
        self._run: Run[T] | None = run
        self._pieces: asyncio.Queue[Any] = asyncio.Queue()
        self._cancel = Cancel()
        self._end: _Done[T] | _Failed | None = None

    def __aiter__(self) -> AsyncStream[T]:
        return self

    async def __anext__(self) -> Piece:
        self._begin()
        if self._end is None:
            try:
                item = await self._pieces.get()
            except asyncio.CancelledError:
                self._cancel.request()
                raise
            if isinstance(item, Piece):
                return item
            self._end = item
            if isinstance(item, _Failed):
                raise item.error
        raise StopAsyncIteration

    async def result(self) -> T:
        async for _ in self:
            pass
        return _outcome(self._end)

    def cancel(self) -> None:
        self._cancel.request()

    async def aclose(self) -> None:
        """Ends it and waits until the session is free again."""
        self._cancel.request()
        if self._run is not None:  # it hasn't begun
            self._run, self._end = None, _Failed(CancelledError("the stream is closed"))
            return
        try:
            await self.result()
        except CancelledError:
            pass

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if hasattr(self, "_cancel"):
            self._cancel.request()

    def _begin(self) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        loop, put = asyncio.get_running_loop(), self._pieces.put_nowait

        def put_there(item: Any) -> None:
            try:
                loop.call_soon_threadsafe(put, item)
            except RuntimeError:  # the loop is closed: nobody listens any more
                raise CancelledError("the event loop is closed") from None
        _start(run, put_there, self._cancel)


async def in_thread(run: Run[T]) -> T:
    """One call without pieces, which ends with the task that awaits it."""
    cancel = Cancel()
    work: Awaitable[T] = asyncio.get_running_loop().run_in_executor(None, lambda: run(lambda _: None, cancel))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancel.request()
        try:
            await work  # until the session is free again
        except CancelledError:
            pass
        raise
