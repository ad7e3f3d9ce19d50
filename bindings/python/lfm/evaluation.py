"""How well a model predicts a text, and how far one file of a model is from another."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Callable

from . import _c
from ._handle import Caught, call
from .session import CacheType

if TYPE_CHECKING:
    from .engine import Engine


@dataclass(frozen=True)
class Estimate:
    value: float
    error: float  # of the mean: one standard deviation


@dataclass(frozen=True)
class Quantiles:
    minimum: float
    p001: float
    p01: float
    p05: float
    p10: float
    p25: float
    median: float
    p75: float
    p90: float
    p95: float
    p99: float
    p999: float
    maximum: float


@dataclass(frozen=True)
class Divergence:
    """Against a base: a better file of the same model, whose distributions were kept."""

    base_perplexity: Estimate
    correlation: float  # of the logarithms of both perplexities
    log_ratio: Estimate  # of the perplexities
    ratio: Estimate
    difference: Estimate
    kld: Estimate  # nats
    klds: Quantiles
    probability_change: Estimate  # of the text's token, 0..1
    probability_changes: Quantiles
    probability_change_rms: Estimate
    same_top: Estimate  # part of the positions where both expect the same token most


@dataclass(frozen=True)
class Evaluation:
    windows: int  # done so far
    all_windows: int
    scored: int  # tokens
    perplexity: Estimate
    divergence: Divergence | None


_INNER: dict[type, Any] = {_c.Estimate: Estimate, _c.Quantiles: Quantiles, _c.Divergence: Divergence}


def _value(given: Any) -> Any:
    kind = _INNER.get(type(given))
    return given if kind is None else kind(**{part.name: _value(getattr(given, part.name)) for part in fields(kind)})


def _evaluation(given: _c.Evaluation) -> Evaluation:
    return Evaluation(given.windows, given.all_windows, given.scored, _value(given.perplexity),
                      _value(given.divergence) if given.compared else None)


def evaluate(engine: Engine, text: str | bytes = "", *, window_tokens: int = 0, max_windows: int = 0,
             base_out: str | os.PathLike[str] | None = None, base: str | os.PathLike[str] | None = None,
             base_likeliest: int = 0, cache_keys: CacheType = CacheType.F16, cache_values: CacheType = CacheType.F16,
             progress: Callable[[Evaluation], Any] | None = None) -> Evaluation:
    """Perplexity as llama-perplexity measures it, over windows of 512 tokens or of so many. base_out: a file that keeps
    the distributions, with base_likeliest only those of so many tokens and of the rest; base: such a file to compare
    with, which gives the text too. cache_keys, cache_values: how the context is kept while a window is read. progress:
    called after each window; False ends it with CancelledError."""
    data = text.encode() if isinstance(text, str) else text
    caught, out = Caught(), _c.Evaluation()

    def tell(so_far: Any, _: Any) -> bool:
        return progress is None or progress(_evaluation(so_far.contents)) is not False
    options = _c.EvaluateOptions(window_tokens=window_tokens, max_windows=max_windows,
                                 base_out=os.fsencode(base_out) if base_out is not None else None,
                                 base=os.fsencode(base) if base is not None else None, base_likeliest=base_likeliest,
                                 cache_keys=cache_keys, cache_values=cache_values,
                                 progress=_c.EvaluateProgress(caught.guard(tell, False)))
    with caught:
        call("lfm_evaluate", engine._handle.pointer, data, len(data), ctypes.byref(options), ctypes.byref(out))
    return _evaluation(out)
