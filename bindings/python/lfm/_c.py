"""The C interface (include/lfm/c.h) as ctypes has it. Structs mirror the headers field by field; tests/test_layout.py
compares them with what a C compiler makes of the headers."""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    CFUNCTYPE, POINTER, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint, c_uint32,
    c_uint64, c_void_p)
from pathlib import Path
from typing import Any

ABI_VERSION = 2
NONE = 2**64 - 1  # LFM_NONE


def _load() -> ctypes.CDLL:
    here = Path(__file__).resolve().parent
    names = [os.environ["LFM_LIBRARY"]] if os.environ.get("LFM_LIBRARY") else [
        *sorted(str(path) for path in here.glob("liblfm.so*")), "liblfm.so.0.1", "liblfm.so"]
    problem: OSError | None = None
    for name in names:
        try:
            library = ctypes.CDLL(name)
        except OSError as error:
            problem = problem or error
            continue
        found = library.lfm_abi_version()
        if found != ABI_VERSION:
            raise ImportError(f"{name} has version {found} of lfm's binary interface; this package needs {ABI_VERSION}")
        return library
    raise ImportError(f"no shared library of lfm: {problem}. LFM_LIBRARY names one that lies elsewhere")


class Sized(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields: object) -> None:
        super().__init__(ctypes.sizeof(self), **fields)


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("index", c_uint64), ("offset", c_uint64), ("have", c_uint64), ("limit", c_uint64),
                ("field", c_char * 128), ("message", c_char * 512)]


token = c_int32
Progress = CFUNCTYPE(c_bool, c_uint64, c_uint64, c_void_p)
OpenProgress = CFUNCTYPE(c_bool, c_int, c_uint64, c_uint64, c_void_p)
EachLogits = CFUNCTYPE(None, POINTER(c_float), c_size_t, c_void_p)


class EngineOptions(Sized):
    _fields_ = [("size", c_size_t), ("threads", c_uint), ("dense", c_int), ("load", c_int), ("chunk_tokens", c_size_t),
                ("pack_cache", c_char_p), ("pack_cache_min_bytes", c_uint64), ("pack_cache_max_bytes", c_uint64),
                ("progress", OpenProgress), ("progress_user", c_void_p), ("cancel", c_void_p), ("draft", c_char_p),
                ("batch_threads", c_uint), ("weights", POINTER(c_int))]


class ModelInfo(Sized):
    _fields_ = [("size", c_size_t), ("architecture", c_char_p), ("name", c_char_p), ("isa", c_char_p),
                ("dense_backend", c_char_p), ("file_bytes", c_uint64), ("parameters", c_uint64),
                ("active_parameters", c_uint64), ("weight_bytes", c_uint64), ("weight_bytes_per_token", c_uint64),
                ("cache_bytes_per_token", c_uint64), ("state_bytes", c_uint64), ("layers", c_size_t),
                ("hidden", c_size_t), ("vocabulary", c_size_t), ("context_tokens", c_size_t), ("threads", c_uint),
                ("path", c_char_p), ("packed", c_bool), ("attention_layers", c_size_t), ("experts", c_size_t),
                ("experts_used", c_size_t), ("prompt_parameters", c_uint64), ("draft", c_char_p),
                ("draft_weight_bytes", c_uint64), ("batch_threads", c_uint)]


class SessionOptions(Sized):
    _fields_ = [("size", c_size_t), ("context_tokens", c_size_t), ("snapshot_bytes", c_size_t), ("cache_keys", c_int),
                ("cache_values", c_int)]


class SyncOptions(Sized):
    _fields_ = [("size", c_size_t), ("ends", POINTER(c_size_t)), ("end_count", c_size_t), ("cancel", c_void_p),
                ("progress", Progress), ("progress_user", c_void_p)]


class SyncInfo(ctypes.Structure):
    _fields_ = [("reused", c_size_t), ("evaluated", c_size_t)]


class SessionStats(Sized):
    _fields_ = [("size", c_size_t), ("reused_tokens", c_size_t), ("prompt_tokens", c_size_t),
                ("prompt_seconds", c_double), ("generated_tokens", c_size_t), ("generate_seconds", c_double),
                ("generate_passes", c_size_t), ("drafted_tokens", c_size_t), ("accepted_tokens", c_size_t)]


class LogitBias(ctypes.Structure):
    _fields_ = [("id", token), ("value", c_float)]


class Sampling(Sized):
    _fields_ = [("size", c_size_t), ("temperature", c_float), ("top_k", c_int32), ("top_p", c_float),
                ("min_p", c_float), ("repetition_penalty", c_float), ("presence_penalty", c_float),
                ("frequency_penalty", c_float), ("penalty_window", c_size_t), ("seeded", c_bool), ("seed", c_uint64),
                ("logit_bias", POINTER(LogitBias)), ("logit_bias_count", c_size_t)]


class MaskQuery(Sized):
    _fields_ = [("size", c_size_t), ("tokens", POINTER(token)), ("token_count", c_size_t), ("answer_count", c_size_t),
                ("thinking", c_bool), ("logits", POINTER(c_float)), ("vocabulary", c_size_t),
                ("allowed", POINTER(c_uint32)), ("allowed_words", c_size_t)]


Mask = CFUNCTYPE(c_int, POINTER(MaskQuery), c_void_p)


class GenerateOptions(Sized):
    _fields_ = [("size", c_size_t), ("max_tokens", c_size_t), ("sampling", POINTER(Sampling)),
                ("stop", POINTER(c_char_p)), ("stop_count", c_size_t), ("ignore_end", c_bool), ("structured", c_bool),
                ("limit_thinking", c_bool), ("thinking_budget", c_size_t), ("logprobs", c_bool),
                ("top_logprobs", c_size_t), ("mask", Mask), ("mask_user", c_void_p), ("cancel", c_void_p),
                ("prompt_progress", Progress), ("progress_user", c_void_p), ("constraint", c_void_p),
                ("continue_last", c_bool), ("draft", c_int)]


class Logprob(ctypes.Structure):
    _fields_ = [("id", token), ("logprob", c_float)]


class Piece(Sized):
    _fields_ = [("size", c_size_t), ("kind", c_int), ("text", POINTER(c_char)), ("bytes", c_size_t),
                ("name", c_char_p), ("arguments", c_char_p), ("problem", c_char_p), ("tokens", POINTER(token)),
                ("token_count", c_size_t), ("logprobs", POINTER(c_float)), ("top", POINTER(Logprob)),
                ("top_per_token", c_size_t)]


PieceCallback = CFUNCTYPE(c_bool, POINTER(Piece), c_void_p)


class Finish(Sized):
    _fields_ = [("size", c_size_t), ("reason", c_int), ("tokens", c_size_t), ("reasoning_tokens", c_size_t),
                ("text_bytes", c_size_t), ("tool_calls", c_size_t), ("malformed_calls", c_size_t),
                ("thinking_open", c_bool), ("thinking_cut", c_bool), ("seconds", c_double), ("seed", c_uint64),
                ("passes", c_size_t), ("drafted", c_size_t), ("accepted", c_size_t)]


class ToolConstraint(Sized):
    _fields_ = [("size", c_size_t), ("optional", c_bool), ("single", c_bool), ("json_form", c_bool),
                ("only", c_char_p), ("text", c_bool), ("none", c_bool)]


class ToolCall(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("arguments", c_char_p)]


class Message(Sized):
    _fields_ = [("size", c_size_t), ("role", c_int), ("content", c_char_p), ("reasoning", c_char_p),
                ("calls", POINTER(ToolCall)), ("call_count", c_size_t), ("tokens", POINTER(token)),
                ("token_count", c_size_t)]


FormCallback = CFUNCTYPE(c_int, POINTER(Message), c_size_t, c_bool, c_void_p, c_void_p)


class ChatOptions(Sized):
    _fields_ = [("size", c_size_t), ("form", c_int), ("tools", c_char_p), ("date", c_char_p),
                ("preserve_thinking", c_bool), ("custom", FormCallback), ("custom_user", c_void_p)]


class Limits(Sized):
    _fields_ = [("size", c_size_t), ("read_bytes_per_second", c_double), ("int8_operations_per_second", c_double)]


class PackOptions(Sized):
    _fields_ = [("size", c_size_t), ("threads", c_uint), ("dense", c_int), ("overwrite", c_bool), ("cancel", c_void_p),
                ("progress", Progress), ("progress_user", c_void_p)]


class PackInfo(Sized):
    _fields_ = [("size", c_size_t), ("source_name", c_char * 128), ("file_bytes", c_uint64),
                ("weight_bytes", c_uint64), ("xnnpack", c_bool)]


class PoolOptions(Sized):
    _fields_ = [("size", c_size_t), ("context_tokens", c_size_t), ("snapshot_bytes", c_size_t), ("bytes", c_uint64),
                ("answer_bytes", c_uint64), ("cache_keys", c_int), ("cache_values", c_int)]


class PoolStats(Sized):
    _fields_ = [("size", c_size_t), ("states", c_size_t), ("bytes", c_uint64), ("most_bytes", c_uint64),
                ("answers", c_size_t), ("answer_bytes", c_uint64), ("taken", c_uint64), ("taken_tokens", c_uint64),
                ("evicted", c_uint64)]


class Estimate(ctypes.Structure):
    _fields_ = [("value", c_double), ("error", c_double)]


class Quantiles(ctypes.Structure):
    _fields_ = [(name, c_double) for name in ("minimum", "p001", "p01", "p05", "p10", "p25", "median", "p75", "p90",
                                              "p95", "p99", "p999", "maximum")]


class Divergence(ctypes.Structure):
    _fields_ = [("base_perplexity", Estimate), ("correlation", c_double), ("log_ratio", Estimate), ("ratio", Estimate),
                ("difference", Estimate), ("kld", Estimate), ("klds", Quantiles), ("probability_change", Estimate),
                ("probability_changes", Quantiles), ("probability_change_rms", Estimate), ("same_top", Estimate)]


class Evaluation(Sized):
    _fields_ = [("size", c_size_t), ("windows", c_size_t), ("all_windows", c_size_t), ("scored", c_size_t),
                ("perplexity", Estimate), ("compared", c_bool), ("divergence", Divergence)]


EvaluateProgress = CFUNCTYPE(c_bool, POINTER(Evaluation), c_void_p)


class EvaluateOptions(Sized):
    _fields_ = [("size", c_size_t), ("window_tokens", c_size_t), ("max_windows", c_size_t), ("base_out", c_char_p),
                ("base", c_char_p), ("progress", EvaluateProgress), ("progress_user", c_void_p),
                ("base_likeliest", c_size_t), ("cache_keys", c_int), ("cache_values", c_int)]


STRUCTS = {
    "lfm_error": Error, "lfm_engine_options": EngineOptions, "lfm_model_info": ModelInfo,
    "lfm_session_options": SessionOptions, "lfm_sync_options": SyncOptions, "lfm_sync_info": SyncInfo,
    "lfm_session_stats": SessionStats, "lfm_logit_bias": LogitBias, "lfm_sampling": Sampling,
    "lfm_mask_query": MaskQuery, "lfm_generate_options": GenerateOptions, "lfm_logprob": Logprob, "lfm_piece": Piece,
    "lfm_finish": Finish, "lfm_tool_constraint": ToolConstraint, "lfm_tool_call": ToolCall, "lfm_message": Message,
    "lfm_chat_options": ChatOptions, "lfm_limits": Limits, "lfm_pack_options": PackOptions, "lfm_pack_info": PackInfo,
    "lfm_pool_options": PoolOptions, "lfm_pool_stats": PoolStats, "lfm_estimate": Estimate,
    "lfm_quantiles": Quantiles, "lfm_divergence": Divergence, "lfm_evaluation": Evaluation,
    "lfm_evaluate_options": EvaluateOptions}

library = _load()

_tokens, _count, _error = POINTER(token), POINTER(c_size_t), POINTER(Error)
_handle, _out = c_void_p, POINTER(c_void_p)
_text_out = [c_void_p, c_size_t, _count, _error]  # text, capacity, bytes
_say = [POINTER(GenerateOptions), PieceCallback, c_void_p]


def _function(name: str, result: object, *arguments: object) -> None:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


_codes: tuple[tuple[Any, ...], ...] = (
    ("lfm_cancel_new", _out, _error),
    ("lfm_engine_open", c_char_p, POINTER(EngineOptions), _out, _error),
    ("lfm_engine_info", _handle, POINTER(ModelInfo), _error),
    ("lfm_engine_sampling", _handle, POINTER(Sampling), _error),
    ("lfm_engine_settle", _handle, _error),
    ("lfm_engine_finish_pack_cache", _handle, _error),
    ("lfm_engine_measure_limits", _handle, POINTER(Limits), _error),
    ("lfm_tokenizer_open", c_char_p, _out, _error),
    ("lfm_encode", _handle, c_char_p, c_size_t, c_bool, c_bool, _tokens, c_size_t, _count, _error),
    ("lfm_decode", _handle, _tokens, c_size_t, *_text_out),
    ("lfm_session_new", _handle, POINTER(SessionOptions), _out, _error),
    ("lfm_session_sync", _handle, _tokens, c_size_t, POINTER(SyncOptions), POINTER(SyncInfo), _error),
    ("lfm_session_append", _handle, _tokens, c_size_t, _error),
    ("lfm_session_append_each", _handle, _tokens, c_size_t, EachLogits, c_void_p, _error),
    ("lfm_session_fork", _handle, _out, _error),
    ("lfm_session_save", _handle, c_char_p, _error),
    ("lfm_session_load", _handle, c_char_p, _error),
    ("lfm_session_get_stats", _handle, POINTER(SessionStats), _error),
    ("lfm_session_generate", _handle, *_say, POINTER(Finish), _error),
    ("lfm_finish_describe", POINTER(Finish), *_text_out),
    ("lfm_constraint_from_json_schema", c_char_p, _out, _error),
    ("lfm_constraint_from_json_schema_by_draft", c_char_p, _out, _error),
    ("lfm_constraint_from_regex", c_char_p, _out, _error),
    ("lfm_constraint_from_tools", c_char_p, POINTER(ToolConstraint), _out, _error),
    ("lfm_constraint_either", _handle, _handle, _out, _error),
    ("lfm_constraint_prepare", _handle, _handle, _error),
    ("lfm_constraint_check", _handle, c_char_p, c_size_t, POINTER(c_bool), _count, _error),
    ("lfm_chat_new", _handle, POINTER(ChatOptions), _out, _error),
    ("lfm_chat_render", _handle, POINTER(Message), c_size_t, c_bool, _tokens, c_size_t, _count, _error),
    ("lfm_chat_render_text", _handle, POINTER(Message), c_size_t, c_bool, *_text_out),
    ("lfm_chat_fit", _handle, POINTER(Message), c_size_t, c_size_t, _count, _error),
    ("lfm_chat_answer", _handle, _handle, POINTER(Message), c_size_t, *_say, _out, _error),
    ("lfm_answer_message", _handle, POINTER(Message), _error),
    ("lfm_answer_finish", _handle, POINTER(Finish), _error),
    ("lfm_messages_to_json", POINTER(Message), c_size_t, *_text_out),
    ("lfm_conversation_from_json", c_char_p, c_size_t, _out, _error),
    ("lfm_pool_new", _handle, POINTER(PoolOptions), _out, _error),
    ("lfm_pool_take", _handle, _tokens, c_size_t, _out, _error),
    ("lfm_pool_keep", _handle, _handle, _error),
    ("lfm_pool_keep_beginning", _handle, _handle, c_size_t, _error),
    ("lfm_pool_answer", _handle, _handle, POINTER(Message), c_size_t, *_say, _out, _error),
    ("lfm_pool_remember", _handle, _handle, POINTER(Message), c_size_t, POINTER(Message), _error),
    ("lfm_pool_recall", _handle, _handle, _error),
    ("lfm_pool_date", _handle, POINTER(Message), c_size_t, *_text_out),
    ("lfm_pool_get_stats", _handle, POINTER(PoolStats), _error),
    ("lfm_pool_save", _handle, c_char_p, _error),
    ("lfm_pool_load", _handle, c_char_p, _count, _count, _error),
    ("lfm_evaluate", _handle, c_char_p, c_size_t, POINTER(EvaluateOptions), POINTER(Evaluation), _error),
    ("lfm_pack", c_char_p, c_char_p, POINTER(PackOptions), POINTER(PackInfo), _error),
    ("lfm_verify_pack", c_char_p, POINTER(PackOptions), POINTER(PackInfo), _error),
)
for _name, *_arguments in _codes:
    _function(_name, c_int, *_arguments)
for _name in ("engine_close", "tokenizer_free", "session_free", "session_cancel", "session_clear_cancel",
              "constraint_free", "chat_free", "answer_free", "conversation_free", "cancel_free", "cancel_request",
              "pool_free", "pool_clear"):
    _function("lfm_" + _name, None, _handle)
_function("lfm_version", c_char_p)
_function("lfm_engine_tokenizer", c_void_p, _handle)
_function("lfm_engine_note", c_char_p, _handle, c_size_t)
_function("lfm_chat_note", c_char_p, _handle, c_size_t)
_function("lfm_chat_get_form", c_int, _handle)
_function("lfm_answer_prompt", SyncInfo, _handle)
_function("lfm_vocabulary", c_size_t, _handle)
_function("lfm_ends_generation", c_bool, _handle, token)
_function("lfm_bos", token, _handle)
_function("lfm_eos", token, _handle)
_function("lfm_find_special", token, _handle, c_char_p)
_function("lfm_session_tokens", POINTER(token), _handle, _count)
_function("lfm_session_logits", POINTER(c_float), _handle, _count)
_function("lfm_session_context_tokens", c_size_t, _handle)
_function("lfm_conversation_messages", POINTER(Message), _handle, _count)
_function("lfm_form_text", None, c_void_p, c_char_p)
_function("lfm_form_token", None, c_void_p, c_char_p)
