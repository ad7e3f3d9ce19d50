"""For code that speaks to OpenAI's interface: Client(engine).chat.completions.create(...) takes the same arguments and
gives objects of the same shape, in this process.

What is asked for and doesn't exist here (several choices in a stream, audio, ...) is an ArgumentError, never left out
without a word."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Iterator, Mapping, Sequence

from .chat import Answer, Chat, MessageLike, ToolCall, as_messages
from .constraint import Constraint
from .engine import Engine
from .errors import ArgumentError
from .generation import FinishReason, GenerateOptions, Piece, PieceKind
from .session import Session
from .stream import Stream

# What says nothing about the answer.
_IGNORED = {"model", "user", "metadata", "store", "timeout", "extra_headers", "service_tier", "prompt_cache_key",
            "safety_identifier"}
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "top_k", "min_p")


class Object(SimpleNamespace):
    """Fields as attributes, and as the dictionary that JSON would be."""

    def model_dump(self) -> dict[str, Any]:
        def plain(value: Any) -> Any:
            if isinstance(value, Object):
                return value.model_dump()
            return [plain(v) for v in value] if isinstance(value, list) else value
        return {name: plain(value) for name, value in vars(self).items()}

    def model_dump_json(self) -> str:
        return json.dumps(self.model_dump(), ensure_ascii=False)


class Client:
    """Answers one conversation at a time; what follows on the one before reads only what is new."""

    def __init__(self, model: Engine | str | os.PathLike[str], **session_options: Any) -> None:
        self.engine = model if isinstance(model, Engine) else Engine(model)
        self._session: Session = self.engine.session(**session_options)
        self._turn = threading.Lock()
        self.chat = SimpleNamespace(completions=Completions(self))

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Completions:
    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, *, messages: Sequence[MessageLike], stream: bool = False, n: int | None = None,
               tools: Sequence[Mapping[str, Any]] | None = None, tool_choice: Any = None,
               response_format: Mapping[str, Any] | None = None, logprobs: bool | None = None,
               stream_options: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """A ChatCompletion, or with stream an iterator of ChatCompletionChunks."""
        client = self._client
        count = 1 if n is None else n
        if count < 1 or (stream and count > 1):
            raise ArgumentError("n: expected 1, or more without stream", field="n")
        offered = [] if tool_choice == "none" else list(tools or ())
        chat = client.engine.chat(tools=offered or None)
        generate = _generate_options(client.engine, options)
        generate["constraint"] = _constraint(chat, offered, tool_choice, response_format)
        if logprobs:
            generate["logprobs"] = options.pop("top_logprobs", 0) or 0
        unknown = set(options) - _IGNORED
        if unknown:
            name = sorted(unknown)[0]
            raise ArgumentError(f"{name}: lfm has no such option", field=name)
        said = as_messages(messages)
        model = options.get("model") or client.engine.info.name or "lfm"
        if stream:
            usage = bool((stream_options or {}).get("include_usage"))
            return _Chunks(client, chat, said, generate, model, usage)
        choices, completion = [], 0
        with client._turn:
            for index in range(count):
                pieces: list[Piece] = []
                once = generate if index == 0 else _next_choice(generate, index)
                answer = chat.answer(client._session, said, pieces.append, **once)
                if index == 0:
                    first = answer
                completion += answer.finish.tokens
                choices.append(Object(index=index, message=_message(answer), finish_reason=_reason(answer),
                                      logprobs=_logprobs(client.engine, pieces) if logprobs else None))
        return Object(id=_id("chatcmpl"), object="chat.completion", created=int(time.time()), model=model,
                      choices=choices, usage=_usage(first, completion))


class _Chunks(Iterator[Object]):
    def __init__(self, client: Client, chat: Chat, messages: Any, options: GenerateOptions, model: str,
                 usage: bool) -> None:
        self._client, self._usage, self._calls = client, usage, 0
        self._common = {"id": _id("chatcmpl"), "object": "chat.completion.chunk", "created": int(time.time()),
                        "model": model}
        self._logprobs = options.get("logprobs") is not None
        client._turn.acquire()
        self._stream: Stream[Answer] | None = chat.stream(client._session, messages, **options)
        self._left = [self._chunk({"role": "assistant", "content": ""})]

    def __next__(self) -> Object:
        while not self._left:
            if self._stream is None:
                raise StopIteration
            try:
                piece = next(self._stream)
            except StopIteration:
                answer = self._stream.result
                self.close()
                self._left.append(self._chunk({}, _reason(answer)))
                if self._usage:
                    self._left.append(Object(**self._common, choices=[], usage=_usage(answer, answer.finish.tokens)))
            except BaseException:
                self.close()
                raise
            else:
                self._left.append(self._chunk(self._delta(piece), piece=piece))
        return self._left.pop(0)

    def _delta(self, piece: Piece) -> dict[str, Any]:
        if piece.kind == PieceKind.REASONING:
            return {"reasoning_content": piece.text}
        if piece.kind != PieceKind.TOOL_CALL:
            return {"content": piece.text}
        self._calls += 1
        call = _tool_call(ToolCall(piece.name, piece.arguments))
        return {"tool_calls": [Object(index=self._calls - 1, **vars(call))]}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None, piece: Piece | None = None) -> Object:
        fields = {"content": None, "role": None, "tool_calls": None, **delta}
        said = _logprobs(self._client.engine, [piece]) if piece is not None and self._logprobs else None
        return Object(**self._common, choices=[Object(index=0, delta=Object(**fields), finish_reason=reason,
                                                      logprobs=said)], usage=None)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            self._client._turn.release()

    def __enter__(self) -> _Chunks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            self.close()


def _generate_options(engine: Engine, options: dict[str, Any]) -> GenerateOptions:
    """Takes out of `options` what is of generating."""
    out: GenerateOptions = {}
    limit = options.pop("max_completion_tokens", None)
    older = options.pop("max_tokens", None)
    # As much as there is room for, where nothing is said.
    out["max_tokens"] = next((n for n in (limit, older) if n is not None), engine.info.context_tokens)
    stop = options.pop("stop", None)
    if stop:
        out["stop"] = stop
    changes = {name: value for name in _SAMPLING if (value := options.pop(name, None)) is not None}
    bias = options.pop("logit_bias", None)
    if bias:
        changes["logit_bias"] = {int(token): float(value) for token, value in bias.items()}
    if changes:
        out["sampling"] = replace(engine.sampling, **changes)
    return out


def _next_choice(options: GenerateOptions, index: int) -> GenerateOptions:
    sampling = options.get("sampling")
    if sampling is None or sampling.seed is None:
        return options
    out = options.copy()
    out["sampling"] = replace(sampling, seed=sampling.seed + index)
    return out


def _constraint(chat: Chat, tools: Sequence[Mapping[str, Any]], choice: Any,
                response_format: Mapping[str, Any] | None) -> Constraint | None:
    only = choice["function"]["name"] if isinstance(choice, Mapping) else None
    if choice is not None and only is None and choice not in ("auto", "none", "required"):
        raise ArgumentError(f"tool_choice: {choice!r} is none of auto, none, required and a function",
                            field="tool_choice")
    if (only is not None or choice == "required") and not tools:
        raise ArgumentError("tool_choice: there are no tools", field="tool_choice")
    kind = (response_format or {}).get("type", "text")
    if kind not in ("text", "json_object", "json_schema"):
        raise ArgumentError(f"response_format: {kind!r} is none of text, json_object and json_schema",
                            field="response_format")
    if only is not None or choice == "required":
        return Constraint.tools(tools, only=only)
    if kind == "text":
        return Constraint.tools(tools, choice="auto") if tools else None
    assert response_format is not None
    if kind == "json_object":
        return Constraint.json_schema({"type": "object"})
    return Constraint.json_schema(response_format["json_schema"]["schema"])


def _reason(answer: Answer) -> str:
    if answer.finish.reason in (FinishReason.LENGTH, FinishReason.CONTEXT_FULL):
        return "length"
    return "tool_calls" if answer.message.tool_calls else "stop"


def _message(answer: Answer) -> Object:
    message = answer.message
    return Object(role="assistant", content=message.content or None if message.tool_calls else message.content,
                  reasoning_content=message.reasoning or None, refusal=None,
                  tool_calls=[_tool_call(call) for call in message.tool_calls] or None)


def _tool_call(call: ToolCall) -> Object:
    return Object(id=_id("call"), type="function", function=Object(name=call.name, arguments=call.arguments))


def _usage(answer: Answer, completion: int) -> Object:
    prompt = answer.prompt.reused + answer.prompt.evaluated
    return Object(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion,
                  prompt_tokens_details=Object(cached_tokens=answer.prompt.reused),
                  completion_tokens_details=Object(reasoning_tokens=answer.finish.reasoning_tokens))


def _logprobs(engine: Engine, pieces: Sequence[Piece]) -> Object:
    def one(token: int, logprob: float) -> Object:
        data = engine.tokenizer.decode_bytes([token])
        return Object(token=data.decode("utf-8", "replace"), logprob=logprob, bytes=list(data))
    content = []
    for piece in pieces:
        for i, token in enumerate(piece.tokens):
            said = one(token, (piece.logprobs or ())[i])
            said.top_logprobs = [one(*likely) for likely in (piece.top_logprobs or ())[i]]
            content.append(said)
    return Object(content=content)


def _id(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:24]}"
