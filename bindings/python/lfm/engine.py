"""Models, and how they cut text into tokens."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Sequence

from . import _c
from ._handle import Cancel, Caught, Closable, Handle, call, text_of, tokens_array, tokens_of
from .generation import Sampling

if TYPE_CHECKING:
    from .chat import Chat
    from .session import Session

_DENSE = ("auto", "xnnpack", "native")
_LOAD = ("auto", "map", "copy")
_WEIGHTS = ("q4_0", "iq4_nl", "q6_k", "q8_0", "f16", "bf16", "f32", "q4_k", "q5_k")
_PHASES = ("packing", "reading", "checking")


def _choice(value: str, names: Sequence[str], option: str) -> int:
    if value not in names:
        raise ValueError(f"{option} is one of {', '.join(names)}, not {value!r}")
    return names.index(value)


@dataclass(frozen=True)
class ModelInfo:
    architecture: str  # "lfm2moe"
    name: str  # as the file has it; may be empty
    isa: str
    dense_backend: str
    file_bytes: int
    parameters: int
    active_parameters: int  # that one token uses
    weight_bytes: int  # in memory
    weight_bytes_per_token: int  # that generating a token reads
    cache_bytes_per_token: int  # of context
    state_bytes: int  # of a session whatever its length
    layers: int
    hidden: int
    vocabulary: int
    context_tokens: int  # that the model was trained for
    threads: int
    path: str
    packed: bool
    attention_layers: int
    experts: int  # of a layer; 0 for dense models
    experts_used: int  # for each token
    prompt_parameters: int  # that every token of a prompt is multiplied with
    draft: str  # path of the draft network; empty where there is none
    draft_weight_bytes: int
    batch_threads: int  # for prompts
    notes: tuple[str, ...]  # what isn't as asked for, and why


class Tokenizer:
    """A model's: Engine.tokenizer, or that of a file, without its weights. For any number of threads."""

    def __init__(self, path: str | os.PathLike[str], *, _of: tuple[Handle, Any] | None = None) -> None:
        if _of is None:
            self._owner = Handle("lfm_tokenizer_free", "lfm_tokenizer_open", os.fsencode(path))
            self._pointer: Any = self._owner.pointer
        else:
            self._owner, self._pointer = _of

    def encode(self, text: str | bytes, *, bos: bool = True, special_tokens: bool = False) -> list[int]:
        """bos: put the model's first token in front, where the model wants one. special_tokens: text such as
        "<|im_end|>" becomes that token; otherwise it stays plain text."""
        data = text.encode() if isinstance(text, str) else text
        return tokens_of("lfm_encode", self._pointer, data, len(data), bos, special_tokens)

    def decode(self, tokens: Sequence[int]) -> str:
        return self.decode_bytes(tokens).decode("utf-8", "replace")

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        ids = tokens_array(tokens)
        return text_of("lfm_decode", self._pointer, ids, len(ids))

    def count(self, text: str | bytes, *, bos: bool = True, special_tokens: bool = False) -> int:
        return len(self.encode(text, bos=bos, special_tokens=special_tokens))

    def __len__(self) -> int:
        return int(_c.library.lfm_vocabulary(self._pointer))

    def ends_generation(self, token: int) -> bool:
        return bool(_c.library.lfm_ends_generation(self._pointer, token))

    @property
    def bos(self) -> int | None:
        return self._token(_c.library.lfm_bos(self._pointer))

    @property
    def eos(self) -> int | None:
        return self._token(_c.library.lfm_eos(self._pointer))

    def find_special(self, name: str) -> int | None:
        """The special token of a name such as "<|im_end|>"."""
        return self._token(_c.library.lfm_find_special(self._pointer, name.encode()))

    @staticmethod
    def _token(token: int) -> int | None:
        return None if token < 0 else token


class Engine(Closable):
    """A loaded model, which never changes: for any number of sessions and threads. After os.fork() what needs its
    threads raises StateError in the child, which may open an engine of its own."""

    def __init__(self, path: str | os.PathLike[str], *, threads: int = 0, batch_threads: int = 0, dense: str = "auto",
                 load: str = "auto", chunk_tokens: int = 0, pack_cache: str | os.PathLike[str] | None = None,
                 pack_cache_min_bytes: int = 0, pack_cache_max_bytes: int = 0,
                 draft: str | os.PathLike[str] | None = None, weights: str | None = None,
                 progress: Callable[[str, int, int], Any] | None = None, cancel: Cancel | None = None) -> None:
        """Opens a GGUF file, a packed file or a Hugging Face folder. threads: 0 is one for each physical
        core of the fastest kind. batch_threads: for prompts; 0 is as many as threads, or one for each core of any kind.
        pack_cache: a folder for packed weights, so that the next start is quick. draft: the file of a draft network that
        was made for the model, for Draft.MODEL. weights: what matrices of floats become while they are packed, such as
        "q8_0"; None leaves them. progress: called with "packing", "reading" or "checking", bytes done and all; False
        ends it with CancelledError."""
        options = _c.EngineOptions(
            threads=threads, dense=_choice(dense, _DENSE, "dense"), load=_choice(load, _LOAD, "load"),
            batch_threads=batch_threads, chunk_tokens=chunk_tokens,
            pack_cache=os.fsencode(pack_cache) if pack_cache is not None else None,
            pack_cache_min_bytes=pack_cache_min_bytes, pack_cache_max_bytes=pack_cache_max_bytes,
            cancel=cancel._handle.pointer if cancel is not None else None,
            draft=os.fsencode(draft) if draft is not None else None)
        if weights is not None:
            options.weights = ctypes.pointer(ctypes.c_int(_choice(weights, _WEIGHTS, "weights")))
        caught = Caught(cancel)

        def tell(phase: int, done: int, all_: int, _: Any) -> bool:
            return progress is None or progress(_PHASES[phase], done, all_) is not False
        options.progress = _c.OpenProgress(caught.guard(tell, False))
        with caught:
            handle = Handle("lfm_engine_close", "lfm_engine_open", os.fsencode(path), ctypes.byref(options))
        super().__init__(handle)
        self.info = self._info()

    def _info(self) -> ModelInfo:
        info = _c.ModelInfo()
        call("lfm_engine_info", self._handle.pointer, ctypes.byref(info))
        values = {name: getattr(info, name) for name, *_ in _c.ModelInfo._fields_[1:]}
        texts = {name: os.fsdecode(value) for name, value in values.items() if isinstance(value, bytes)}
        notes: list[str] = []
        while (note := _c.library.lfm_engine_note(self._handle.pointer, len(notes))) is not None:
            notes.append(note.decode())
        return ModelInfo(**{**values, **texts}, notes=tuple(notes))

    @property
    def tokenizer(self) -> Tokenizer:
        """Keeps the model's memory as long as it is there."""
        handle = self._handle
        return Tokenizer("", _of=(handle, _c.library.lfm_engine_tokenizer(handle.pointer)))

    @property
    def sampling(self) -> Sampling:
        """What the model's makers recommend."""
        out = _c.Sampling()
        call("lfm_engine_sampling", self._handle.pointer, ctypes.byref(out))
        return Sampling._from_c(out)

    def session(self, **options: Any) -> Session:
        """Options as of Session()."""
        from .session import Session
        return Session(self, **options)

    def chat(self, **options: Any) -> Chat:
        """Options as of Chat()."""
        from .chat import Chat
        return Chat(self, **options)

    def settle(self) -> None:
        """Waits until weights are where they stay; what runs afterwards is faster."""
        call("lfm_engine_settle", self._handle.pointer)

    def finish_pack_cache(self) -> None:
        """Waits for the file that is being written to the pack cache, and raises what came in its way."""
        call("lfm_engine_finish_pack_cache", self._handle.pointer)

    def measure_limits(self) -> tuple[float, float]:
        """What this machine can do at most: bytes read and int8 operations a second. Takes seconds."""
        out = _c.Limits()
        call("lfm_engine_measure_limits", self._handle.pointer, ctypes.byref(out))
        return out.read_bytes_per_second, out.int8_operations_per_second
