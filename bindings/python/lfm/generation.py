"""How a generation is asked for, what comes of it piece by piece, and how it ended."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, TypedDict

from . import _c
from ._handle import Cancel, Caught, text_of
from .constraint import Constraint
from .errors import ArgumentError

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import Unpack as Unpack
    else:
        from typing_extensions import Unpack as Unpack

Progress = Callable[[int, int], Any]  # done, all; False ends the call


class PieceKind(IntEnum):
    TEXT = 0
    REASONING = 1
    TOOL_CALL = 2
    MALFORMED_CALL = 3


class Draft(IntEnum):
    """Where the next tokens are guessed, to be read together; the text is the same."""

    OFF = 0
    LOOKUP = 1  # where the session's last tokens stood before, what came behind them
    MODEL = 2  # by the engine's draft network, and likewise, whichever promises more


class FinishReason(IntEnum):
    END = 0
    STOP = 1
    LENGTH = 2
    CONTEXT_FULL = 3
    CANCELLED = 4


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. As it is: from the model's own distribution. Engine.sampling has what the model's
    makers recommend, which is also what happens where nothing is said."""

    temperature: float = 1.0  # 0 takes the likeliest token
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    penalty_window: int = 0  # tokens at the end of the context that penalties look at; 0: all
    seed: int | None = None  # None: a random one, which Finish tells
    logit_bias: Mapping[int, float] = field(default_factory=dict)

    def _to_c(self) -> _c.Sampling:
        biases = (_c.LogitBias * len(self.logit_bias))(*(_c.LogitBias(*item) for item in self.logit_bias.items()))
        return _c.Sampling(
            temperature=self.temperature, top_k=self.top_k, top_p=self.top_p, min_p=self.min_p,
            repetition_penalty=self.repetition_penalty, presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty, penalty_window=self.penalty_window,
            seeded=self.seed is not None, seed=self.seed or 0, logit_bias=biases, logit_bias_count=len(biases))

    @staticmethod
    def _from_c(given: _c.Sampling) -> Sampling:
        return Sampling(temperature=given.temperature, top_k=given.top_k, top_p=given.top_p, min_p=given.min_p,
                        repetition_penalty=given.repetition_penalty, presence_penalty=given.presence_penalty,
                        frequency_penalty=given.frequency_penalty, penalty_window=given.penalty_window,
                        seed=given.seed if given.seeded else None)


@dataclass(frozen=True)
class Piece:
    """A part of a generation as it streams."""

    kind: PieceKind
    text: str  # as the model wrote it
    name: str = ""  # TOOL_CALL: the function's name
    arguments: str = ""  # TOOL_CALL: a JSON object
    problem: str = ""  # MALFORMED_CALL: why it can't be read; TOOL_CALL: what was repaired
    tokens: tuple[int, ...] = ()  # said since the piece before, tags included
    logprobs: tuple[float, ...] | None = None  # one for each of them, where they were asked for
    top_logprobs: tuple[tuple[tuple[int, float], ...], ...] | None = None  # of each the likeliest: (token, logprob)


@dataclass(frozen=True)
class Finish:
    """How a generation went; str() says it in a sentence."""

    reason: FinishReason
    tokens: int
    reasoning_tokens: int
    text_bytes: int
    tool_calls: int
    malformed_calls: int
    thinking_open: bool  # it ended before the thinking did
    thinking_cut: bool  # thinking_budget ended the thinking
    seconds: float
    seed: int  # that was drawn with
    passes: int  # that the tokens took
    drafted: int  # tokens that were guessed, and read in those passes
    accepted: int  # of them: that were said
    description: str

    def __str__(self) -> str:
        return self.description

    @staticmethod
    def _from_c(given: _c.Finish) -> Finish:
        values = {name: getattr(given, name) for name, *_ in _c.Finish._fields_[2:]}
        said = text_of("lfm_finish_describe", ctypes.byref(given)).decode()
        return Finish(reason=FinishReason(given.reason), description=said, **values)


class MaskQuery:
    """One token to be chosen: what a mask is asked. Valid during the call only."""

    def __init__(self, query: _c.MaskQuery, views: Any) -> None:
        self._query = query
        self.thinking = bool(query.thinking)
        self.tokens = query.tokens[:query.token_count]  # of the session
        self.answer = self.tokens[len(self.tokens) - query.answer_count:]  # of them: the answer so far
        self.logits = views(query.logits, query.vocabulary, "f")  # as the network gave them
        # As bits: token t is bit t % 32 of word t // 32.
        self.allowed = views(query.allowed, query.allowed_words, "I", writable=True)

    def allow_only(self, tokens: Sequence[int]) -> None:
        words = [0] * self._query.allowed_words
        for token in tokens:
            words[token // 32] |= 1 << (token % 32)
        for i, word in enumerate(words):
            self._query.allowed[i] &= word

    def forbid(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            self._query.allowed[token // 32] &= ~(1 << (token % 32)) & 0xFFFFFFFF


class GenerateOptions(TypedDict, total=False):
    """What generate(), stream(), answer() and their kin take by keyword."""

    max_tokens: int  # 256
    sampling: Sampling | None  # None: as the model's makers recommend
    stop: str | Sequence[str]
    ignore_end: bool  # go on when the model says that it is done
    structured: bool  # generate(): tell thinking and tool calls from text
    thinking_budget: int | None  # tokens of thinking, after which it is ended
    logprobs: int | None  # pieces tell log-probabilities: of each token and of so many likeliest ones
    mask: Callable[[MaskQuery], Any] | None  # asked before each token is chosen
    constraint: Constraint | None  # what the answer has to be
    cancel: Cancel | None
    prompt_progress: Progress | None  # answer(): while it reads the conversation
    continue_last: bool  # answer(): goes on with the last message, which is the assistant's
    draft: Draft  # Draft.OFF


def piece_from_c(given: _c.Piece) -> Piece:
    count = given.token_count
    logprobs = top = None
    if given.logprobs:
        logprobs = tuple(given.logprobs[:count])
        each = given.top_per_token
        top = tuple(tuple((given.top[i * each + j].id, given.top[i * each + j].logprob) for j in range(each))
                    for i in range(count))
    return Piece(PieceKind(given.kind), ctypes.string_at(given.text, given.bytes).decode("utf-8", "replace"),
                 given.name.decode(), given.arguments.decode(), given.problem.decode(), tuple(given.tokens[:count]),
                 logprobs, top)


class Request:
    """Options as C has them, and what has to stay alive as long as they are used."""

    def __init__(self, options: GenerateOptions, caught: Caught, on_piece: Callable[[Piece], Any] | None,
                 views: Any) -> None:
        given: dict[str, Any] = dict(options)
        self._kept: list[Any] = []
        out = self.options = _c.GenerateOptions()
        out.max_tokens = self._positive(given.pop("max_tokens", 256), "max_tokens")
        sampling = given.pop("sampling", None)
        if sampling is not None:
            out.sampling = ctypes.pointer(sampling._to_c())
        stop = given.pop("stop", ())
        stops = [text.encode() for text in ([stop] if isinstance(stop, str) else stop or ())]
        out.stop, out.stop_count = (ctypes.c_char_p * len(stops))(*stops), len(stops)
        for name in ("ignore_end", "structured", "continue_last"):
            setattr(out, name, bool(given.pop(name, False)))
        out.draft = given.pop("draft", Draft.OFF)
        budget = given.pop("thinking_budget", None)
        if budget is not None:
            out.limit_thinking, out.thinking_budget = True, budget
        logprobs = given.pop("logprobs", None)
        if logprobs is not None:
            out.logprobs, out.top_logprobs = True, logprobs
        for name in ("constraint", "cancel"):
            value = given.pop(name, None)
            if value is not None:
                self._kept.append(value._handle)
                setattr(out, name, value._handle.pointer)
        mask = given.pop("mask", None)
        if mask is not None:
            state_code = 7  # LFM_STATE; what the mask raised is raised again

            def ask(query: Any, _: Any) -> int:
                mask(MaskQuery(query.contents, views))
                return 0
            out.mask = _c.Mask(caught.guard(ask, state_code))
        progress = given.pop("prompt_progress", None)
        # Asked whatever is wanted: Python looks after signals only where some of it runs.
        out.prompt_progress = progress_of(progress, caught)
        if given:
            raise TypeError(f"no such option: {', '.join(sorted(given))}")

        def hand_out(piece: Any, _: Any) -> bool:
            return on_piece is None or on_piece(piece_from_c(piece.contents)) is not False
        self.callback = _c.PieceCallback(caught.guard(hand_out, False))

    @staticmethod
    def _positive(value: int, name: str) -> int:
        if value < 1:
            raise ArgumentError(f"{name}: expected 1 or more", field=name)
        return value


def progress_of(progress: Progress | None, caught: Caught) -> Any:
    def tell(done: int, all_: int, _: Any) -> bool:
        return progress is None or progress(done, all_) is not False
    return _c.Progress(caught.guard(tell, False))

