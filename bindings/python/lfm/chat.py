"""Conversations: messages to tokens in the form that a model was trained on, and its answers back to messages."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Callable, Generic, Mapping, Sequence, TypeVar, Union

from . import _c
from ._handle import Caught, Closable, Handle, call, text_of, tokens_of
from ._views import view
from .constraint import json_text
from .generation import Finish, FinishReason, GenerateOptions, Piece, Request
from .session import Session, SyncInfo
from .stream import AsyncStream, Stream, in_thread

if TYPE_CHECKING:
    from .engine import Engine
    from .generation import Unpack

ROLES = ("system", "user", "assistant", "tool")


class ChatForm(IntEnum):
    FROM_MODEL = 0
    CHATML = 1
    LFM2 = 2
    LFM25 = 3


@dataclass
class ToolCall:
    name: str
    arguments: str = "{}"  # a JSON object

    @property
    def values(self) -> dict[str, Any]:
        """The arguments as Python values."""
        out: dict[str, Any] = json.loads(self.arguments)
        return out


@dataclass
class Message:
    role: str  # "system", "user", "assistant" or "tool"
    content: str = ""
    reasoning: str = ""  # of the assistant: what it thought
    tool_calls: list[ToolCall] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list, repr=False)  # those that it was said with, as answer() gives them

    @staticmethod
    def _from_c(given: _c.Message) -> Message:
        calls = [ToolCall(c.name.decode(), c.arguments.decode()) for c in given.calls[:given.call_count]]
        return Message(ROLES[given.role], given.content.decode(), given.reasoning.decode(), calls,
                       given.tokens[:given.token_count])


# A message, a text of the user's, or an object as OpenAI's interface has it.
MessageLike = Union[Message, str, Mapping[str, Any]]


def as_messages(messages: str | Sequence[MessageLike]) -> list[Message]:
    return [_as_message(m) for m in ([messages] if isinstance(messages, str) else messages)]


def _as_message(given: MessageLike) -> Message:
    if isinstance(given, Message):
        return given
    if isinstance(given, str):
        return Message("user", given)
    (message,) = messages_from_json(json.dumps([given]))
    return message


def _text(text: str) -> bytes:
    data = text.encode()
    if b"\0" in data:
        raise ValueError("a message has a zero character, which no text of a conversation can have")
    return data


class CMessages:
    """As C has them, and what they point to."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.array = (_c.Message * len(messages))(*map(self._to_c, messages))
        self.count = len(messages)

    @staticmethod
    def _to_c(message: Message) -> _c.Message:
        if message.role not in ROLES:
            raise ValueError(f"role is one of {', '.join(ROLES)}, not {message.role!r}")
        calls = (_c.ToolCall * len(message.tool_calls))(
            *(_c.ToolCall(_text(c.name), _text(c.arguments)) for c in message.tool_calls))
        tokens = (_c.token * len(message.tokens))(*message.tokens)
        return _c.Message(role=ROLES.index(message.role), content=_text(message.content),
                          reasoning=_text(message.reasoning), calls=calls, call_count=len(calls), tokens=tokens,
                          token_count=len(tokens))


def messages_to_json(messages: str | Sequence[MessageLike]) -> str:
    """A conversation as a JSON array, with the tokens that spare reading it again."""
    given = CMessages(as_messages(messages))
    return text_of("lfm_messages_to_json", given.array, given.count).decode()


def messages_from_json(text: str) -> list[Message]:
    """And back; as OpenAI writes messages they are read too."""
    return messages_in(conversation_of(text))


def conversation_of(text: str) -> Handle:
    data = text.encode()
    return Handle("lfm_conversation_free", "lfm_conversation_from_json", data, len(data))


def messages_in(conversation: Handle) -> list[Message]:
    count = ctypes.c_size_t()
    messages = _c.library.lfm_conversation_messages(conversation.pointer, ctypes.byref(count))
    return [Message._from_c(messages[i]) for i in range(count.value)]


@dataclass
class Answer:
    message: Message
    finish: Finish
    prompt: SyncInfo  # what the session had of the conversation, and what was read

    @property
    def text(self) -> str:
        return self.message.content

    def __str__(self) -> str:
        return self.message.content


Place = TypeVar("Place")


class Answering(Closable, Generic[Place]):
    """What answers conversations, at a place: a chat in a session, a pool by a chat."""

    def answer(self, place: Place, messages: str | Sequence[MessageLike],
               on_piece: Callable[[Piece], Any] | None = None, **options: Unpack[GenerateOptions]) -> Answer:
        raise NotImplementedError

    def stream(self, place: Place, messages: str | Sequence[MessageLike],
               **options: Unpack[GenerateOptions]) -> Stream[Answer]:
        """The answer's pieces as an iterator; its `result` is the Answer."""
        return Stream(self._run(place, messages, options))

    async def answer_async(self, place: Place, messages: str | Sequence[MessageLike],
                           **options: Unpack[GenerateOptions]) -> Answer:
        return await in_thread(self._run(place, messages, options))

    def stream_async(self, place: Place, messages: str | Sequence[MessageLike],
                     **options: Unpack[GenerateOptions]) -> AsyncStream[Answer]:
        return AsyncStream(self._run(place, messages, options))

    def _run(self, place: Place, messages: str | Sequence[MessageLike], options: GenerateOptions) -> Any:
        given = as_messages(messages)  # a list that the caller goes on with
        return lambda on_piece, cancel: self.answer(place, given, on_piece, **{"cancel": cancel, **options})


def answered(function: str, handle: Handle, place: Handle, caught: Caught, messages: str | Sequence[MessageLike],
             on_piece: Callable[[Piece], Any] | None, options: GenerateOptions) -> Answer:
    """The answer that a function of C gives."""
    given, request = CMessages(as_messages(messages)), Request(options, caught, on_piece, view)
    message, finish = _c.Message(), _c.Finish()
    with caught:
        made = Handle("lfm_answer_free", function, handle.pointer, place.pointer, given.array, given.count,
                      ctypes.byref(request.options), request.callback, None)
        call("lfm_answer_finish", made.pointer, ctypes.byref(finish))
        if finish.reason == FinishReason.CANCELLED:
            caught.ended()
    call("lfm_answer_message", made.pointer, ctypes.byref(message))
    prompt = _c.library.lfm_answer_prompt(made.pointer)
    return Answer(Message._from_c(message), Finish._from_c(finish), SyncInfo(prompt.reused, prompt.evaluated))


class Chat(Answering[Session]):
    """A model's form with a set of tools, for any number of sessions and threads. The conversation is the application's
    list of messages: to edit, undo or branch, change it or copy it, and call answer() with it."""

    def __init__(self, engine: Engine, *, tools: str | Sequence[Mapping[str, Any]] | None = None,
                 form: ChatForm = ChatForm.FROM_MODEL, date: str | None = None,
                 preserve_thinking: bool = False) -> None:
        options = _c.ChatOptions(form=form, tools=json_text(tools) if tools else None,
                                 date=date.encode() if date is not None else None,
                                 preserve_thinking=preserve_thinking)
        super().__init__(Handle("lfm_chat_free", "lfm_chat_new", engine._handle.pointer, ctypes.byref(options)))
        self.engine = engine

    @property
    def form(self) -> ChatForm:
        return ChatForm(_c.library.lfm_chat_get_form(self._handle.pointer))

    @property
    def notes(self) -> list[str]:
        """What isn't as expected: an unknown template, say."""
        notes: list[str] = []
        while (note := _c.library.lfm_chat_note(self._handle.pointer, len(notes))) is not None:
            notes.append(note.decode())
        return notes

    def render(self, messages: str | Sequence[MessageLike], *, generation_prompt: bool = True) -> list[int]:
        """The conversation as tokens; with generation_prompt it ends where an answer begins."""
        given = CMessages(as_messages(messages))
        return tokens_of("lfm_chat_render", self._handle.pointer, given.array, given.count, generation_prompt)

    def render_text(self, messages: str | Sequence[MessageLike], *, generation_prompt: bool = True) -> str:
        given = CMessages(as_messages(messages))
        return text_of("lfm_chat_render_text", self._handle.pointer, given.array, given.count,
                       generation_prompt).decode()

    def count(self, messages: str | Sequence[MessageLike], *, generation_prompt: bool = True) -> int:
        return len(self.render(messages, generation_prompt=generation_prompt))

    def fit(self, messages: str | Sequence[MessageLike], tokens: int) -> int:
        """How many messages have to go, the first behind the system's and whole turns, for the rest to be at most so
        many tokens. LimitError where the last turn alone is more."""
        given, drop = CMessages(as_messages(messages)), ctypes.c_size_t()
        call("lfm_chat_fit", self._handle.pointer, given.array, given.count, tokens, ctypes.byref(drop))
        return drop.value

    def answer(self, place: Session, messages: str | Sequence[MessageLike],
               on_piece: Callable[[Piece], Any] | None = None, **options: Unpack[GenerateOptions]) -> Answer:
        """Makes the session the conversation and has the model answer it; what the session holds of it already isn't
        evaluated again. Cancelled, it is an answer that says so."""
        return answered("lfm_chat_answer", self._handle, place._handle, Caught(place, options.get("cancel")), messages,
                        on_piece, options)
