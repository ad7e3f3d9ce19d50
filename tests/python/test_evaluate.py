import pytest

import lfm

TEXT = "What is 17 + 25?\n17 + 25 = 42.\n" * 30


def test_perplexity_and_divergence(engine, tmp_path):
    seen = []
    base = tmp_path / "base"
    found = lfm.evaluate(engine, TEXT, window_tokens=64, base_out=base, progress=lambda so_far: seen.append(so_far.windows))
    assert found.windows == found.all_windows == len(seen) > 2 and found.scored > 0
    assert 1 < found.perplexity.value < 1739 and found.perplexity.error > 0 and found.divergence is None
    same = lfm.evaluate(engine, base=base)
    assert same.divergence is not None and same.divergence.same_top.value > 0.99
    assert same.divergence.kld.value < 0.001 and same.divergence.klds.maximum < 0.1
    eight = lfm.evaluate(engine, base=base, cache_keys=lfm.CacheType.Q8_0, cache_values=lfm.CacheType.Q8_0)
    assert eight.perplexity.value != same.perplexity.value and eight.divergence.kld.value < 0.1
    small = tmp_path / "small"
    lfm.evaluate(engine, TEXT, window_tokens=64, base_out=small, base_likeliest=8)
    assert 10 * small.stat().st_size < base.stat().st_size
    assert lfm.evaluate(engine, base=small).divergence.kld.value < 0.001


def test_what_ends_it(engine):
    with pytest.raises(lfm.CancelledError):
        lfm.evaluate(engine, TEXT, window_tokens=64, progress=lambda _: False)
    with pytest.raises(KeyError, match="mine"):
        lfm.evaluate(engine, TEXT, window_tokens=64, progress=lambda _: {}["mine"])
    with pytest.raises(lfm.ArgumentError):
        lfm.evaluate(engine, "short")
