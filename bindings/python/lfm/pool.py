"""Conversations of many users with one model: what was read once isn't read again."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Sequence

from . import _c
from ._handle import Caught, Handle, call, text_of, tokens_array
from .chat import (
    Answer, Answering, Chat, CMessages, Message, MessageLike, answered, as_messages, conversation_of, messages_in,
    messages_to_json)
from .generation import GenerateOptions, Piece
from .session import CacheType, Session

if TYPE_CHECKING:
    from .engine import Engine
    from .generation import Unpack


@dataclass(frozen=True)
class SessionPoolStats:
    states: int
    bytes: int  # what is shared counts once
    most_bytes: int
    answers: int
    answer_bytes: int
    taken: int  # sessions, since the pool was made
    taken_tokens: int  # that they began with
    evicted: int  # states that went for want of room


class SessionPool(Answering[Chat]):
    """Holds what sessions have read, for any number of threads: whoever comes begins with the longest beginning that
    anybody has read, and a history that comes back as text is known by the tokens that it was said with."""

    def __init__(self, engine: Engine, *, context_tokens: int = 0, snapshot_bytes: int = 0, bytes: int = 0,
                 answer_bytes: int = 0, cache_keys: CacheType = CacheType.F16,
                 cache_values: CacheType = CacheType.F16) -> None:
        """context_tokens, snapshot_bytes, cache_*: of its sessions. bytes: most memory for what is held; 0 is an
        eighth of the machine's, at most 4 GiB. answer_bytes: likewise for remembered answers; 0 is 16 MiB."""
        options = _c.PoolOptions(context_tokens=context_tokens, snapshot_bytes=snapshot_bytes, bytes=bytes,
                                 answer_bytes=answer_bytes, cache_keys=cache_keys, cache_values=cache_values)
        super().__init__(Handle("lfm_pool_free", "lfm_pool_new", engine._handle.pointer, ctypes.byref(options)))
        self.engine = engine

    def answer(self, place: Chat, messages: str | Sequence[MessageLike],
               on_piece: Callable[[Piece], Any] | None = None, **options: Unpack[GenerateOptions]) -> Answer:
        """Chat.answer() with a session of the pool, which keeps what was read and said, and recalls messages."""
        return answered("lfm_pool_answer", self._handle, place._handle, Caught(options.get("cancel")), messages,
                        on_piece, options)

    def take(self, tokens: Sequence[int]) -> Session:
        """A session whose tokens are the longest beginning of these that is known, maybe none. sync() it to them."""
        ids = tokens_array(tokens)
        return Session(self.engine, _handle=Handle("lfm_session_free", "lfm_pool_take", self._handle.pointer, ids,
                                                   len(ids)))

    def keep(self, session: Session, tokens: int | None = None) -> None:
        """From now on what the session holds is known; with `tokens` its first ones, the end of a system prompt, say,
        which stay known beside what goes on from them."""
        if tokens is None:
            call("lfm_pool_keep", self._handle.pointer, session._handle.pointer)
        else:
            call("lfm_pool_keep_beginning", self._handle.pointer, session._handle.pointer, tokens)

    def remember(self, chat: Chat, messages: str | Sequence[MessageLike], answer: Message) -> None:
        """Remembers an answer to this conversation, as answer() does by itself."""
        given, said = CMessages(as_messages(messages)), CMessages([answer])
        call("lfm_pool_remember", self._handle.pointer, chat._handle.pointer, given.array, given.count, said.array)

    def recall(self, messages: str | Sequence[MessageLike]) -> list[Message]:
        """The conversation with what was thought and said in those of its messages that are remembered."""
        conversation = conversation_of(messages_to_json(messages))
        call("lfm_pool_recall", self._handle.pointer, conversation.pointer)
        return messages_in(conversation)

    def date(self, messages: str | Sequence[MessageLike]) -> str | None:
        """Chat(date=...) for this conversation, so that midnight changes no prompt; None: today."""
        given = CMessages(as_messages(messages))
        return text_of("lfm_pool_date", self._handle.pointer, given.array, given.count).decode() or None

    @property
    def stats(self) -> SessionPoolStats:
        out = _c.PoolStats()
        call("lfm_pool_get_stats", self._handle.pointer, ctypes.byref(out))
        return SessionPoolStats(*(getattr(out, name) for name, *_ in _c.PoolStats._fields_[1:]))

    def clear(self) -> None:
        """Forgets all."""
        _c.library.lfm_pool_clear(self._handle.pointer)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the states to files of a folder; what is there already isn't written again, or goes."""
        call("lfm_pool_save", self._handle.pointer, os.fsencode(folder))

    def load(self, folder: str | os.PathLike[str]) -> tuple[int, int]:
        """Takes in what such a folder has: the number of states, and of files that can't be used."""
        states, left_out = ctypes.c_size_t(), ctypes.c_size_t()
        call("lfm_pool_load", self._handle.pointer, os.fsencode(folder), ctypes.byref(states), ctypes.byref(left_out))
        return states.value, left_out.value
