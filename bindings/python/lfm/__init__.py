"""Runs Liquid AI's LFM2 language models on a CPU.

    import lfm

    engine = lfm.Engine("LFM2-8B-A1B-Q4_0.gguf")
    chat, session = engine.chat(), engine.session()
    for piece in chat.stream(session, "What is the capital of France?"):
        print(piece.text, end="", flush=True)
"""

from . import _c
from ._handle import Cancel
from .chat import Answer, Chat, ChatForm, Message, ToolCall, messages_from_json, messages_to_json
from .constraint import Constraint
from .engine import Engine, ModelInfo, Tokenizer
from .errors import (
    ArgumentError, CancelledError, Error, FormatError, IoError, LimitError, NoMemoryError, NumericError, StateError,
    UnsupportedError)
from .evaluation import Divergence, Estimate, Evaluation, Quantiles, evaluate
from .files import PackInfo, pack, verify_pack
from .generation import Draft, Finish, FinishReason, GenerateOptions, MaskQuery, Piece, PieceKind, Sampling
from .openai import Client
from .pool import SessionPool, SessionPoolStats
from .session import CacheType, Session, SessionStats, SyncInfo
from .stream import AsyncStream, Stream

__version__: str = _c.library.lfm_version().decode()

__all__ = [
    "Answer", "ArgumentError", "AsyncStream", "CacheType", "Cancel", "CancelledError", "Chat", "ChatForm", "Client",
    "Constraint", "Divergence", "Draft", "Engine", "Error", "Estimate", "Evaluation", "Finish", "FinishReason",
    "FormatError", "GenerateOptions", "IoError", "LimitError", "MaskQuery", "Message", "ModelInfo", "NoMemoryError",
    "NumericError", "PackInfo", "Piece", "PieceKind", "Quantiles", "Sampling", "Session", "SessionPool",
    "SessionPoolStats", "SessionStats", "StateError", "Stream", "SyncInfo", "Tokenizer", "ToolCall",
    "UnsupportedError", "evaluate", "messages_from_json", "messages_to_json", "pack", "verify_pack"]
