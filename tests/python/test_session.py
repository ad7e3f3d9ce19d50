import math
import os
import pathlib

import pytest

import lfm

numpy = pytest.importorskip("numpy")


def test_tokens_there_and_back(engine, model_path):
    tokenizer = engine.tokenizer
    for text in ("The capital of France", "", "zäh \U0001f600", "<|im_end|>"):
        tokens = tokenizer.encode(text)
        assert tokenizer.decode(tokens[1:]) == text and tokenizer.count(text) == len(tokens)
    end = tokenizer.find_special("<|im_end|>")
    assert tokenizer.encode("<|im_end|>", bos=False, special_tokens=True) == [end]
    assert tokenizer.ends_generation(end) and not tokenizer.ends_generation(tokenizer.bos)
    assert tokenizer.find_special("<|nothing|>") is None and len(tokenizer) == engine.info.vocabulary
    assert tokenizer.decode_bytes(tokenizer.encode(b"\xff", bos=False)) == b"\xff"
    long = "word " * 10_000
    alone = lfm.Tokenizer(model_path)
    assert alone.encode(long) == tokenizer.encode(long) and alone.eos == tokenizer.eos
    with pytest.raises(lfm.ArgumentError) as problem:
        tokenizer.decode([5, -1])
    assert problem.value.index == 1


def test_logits_are_a_view(engine, session):
    assert len(session.logits) == 0
    tokens = engine.tokenizer.encode("Once upon a time")
    session.sync(tokens)
    logits = session.logits
    assert logits.dtype == numpy.float32 and logits.shape == (engine.info.vocabulary,) and not logits.flags.writeable
    assert logits.__array_interface__["data"][0] == session.logits.__array_interface__["data"][0]
    before = logits.copy()
    session.append(engine.tokenizer.encode(" there", bos=False))
    assert not numpy.array_equal(before, session.logits)
    rows = []
    other = engine.session(context_tokens=64)
    other.append(tokens, each=lambda row: rows.append(row.copy()))
    assert len(rows) == len(tokens) and numpy.array_equal(rows[-1], before)
    last = other.logits
    other.close()
    assert numpy.array_equal(last, before)  # which keeps the memory
    with pytest.raises(lfm.StateError):
        other.tokens


def test_without_numpy(engine, session, monkeypatch):
    monkeypatch.setattr("lfm._views.numpy", None)
    session.sync(engine.tokenizer.encode("Once"))
    assert isinstance(session.logits, memoryview) and session.logits.readonly
    assert len(session.logits) == engine.info.vocabulary and math.isfinite(session.logits[7])


def test_generating(engine, session):
    session.sync(engine.tokenizer.encode("Once upon a time"))
    said = len(session.tokens)
    pieces = []
    finish = session.generate(pieces.append, max_tokens=12, ignore_end=True, logprobs=3)
    tokens = [token for piece in pieces for token in piece.tokens]
    assert tokens == session.tokens[said:] and finish.tokens == 12 and finish.reason == lfm.FinishReason.LENGTH
    assert str(finish) == "12 tokens: max_tokens is reached"
    for piece in pieces:
        assert len(piece.logprobs) == len(piece.tokens) == len(piece.top_logprobs)
        for logprob, top in zip(piece.logprobs, piece.top_logprobs):
            assert len(top) == 3 and top[0][1] >= max(logprob, top[1][1], top[2][1])
    session.sync(session.tokens[:said])
    again = session.generate(max_tokens=12, ignore_end=True,
                             sampling=lfm.Sampling(**{**vars(engine.sampling), "seed": finish.seed}))
    assert session.tokens[said:] == tokens and again.seed == finish.seed


def test_masks_penalties_and_stops(engine, session):
    encode = engine.tokenizer.encode
    allowed = sorted(set(encode("abc", bos=False) + encode("xyz", bos=False)))
    seen = []

    def only(query):
        seen.append((list(query.answer), len(query.logits), query.thinking))
        assert query.allowed[allowed[0] // 32] >> (allowed[0] % 32) & 1
        query.allow_only(allowed)
    session.sync(encode("Once"))
    session.generate(max_tokens=8, mask=only, sampling=lfm.Sampling(temperature=5, presence_penalty=0.5))
    assert set(session.tokens[-8:]) <= set(allowed) and len(seen) == 8 and seen[3][0] == session.tokens[-8:-5]
    session.sync(encode("Once"))
    finish = session.generate(max_tokens=8, sampling=lfm.Sampling(temperature=0, logit_bias={allowed[0]: 1000.0}))
    assert session.tokens[-8:] == [allowed[0]] * 8
    session.sync(encode("Once"))
    finish = session.generate(max_tokens=50, stop=engine.tokenizer.decode([allowed[0]]) * 2,
                              sampling=lfm.Sampling(temperature=0, logit_bias={allowed[0]: 1000.0}))
    assert finish.reason == lfm.FinishReason.STOP
    with pytest.raises(lfm.ArgumentError) as problem:
        session.generate(sampling=lfm.Sampling(top_p=3))
    assert problem.value.field == "top_p"


def test_drafts_change_no_text(engine):
    prompt = engine.tokenizer.encode("one two three one two three one two three")
    said = []
    for draft in (lfm.Draft.OFF, lfm.Draft.LOOKUP):
        with engine.session() as session:
            session.sync(prompt)
            finish = session.generate(max_tokens=24, sampling=lfm.Sampling(temperature=0), ignore_end=True, draft=draft)
            said.append(session.tokens)
            assert finish.tokens == 24 and finish.accepted <= finish.drafted
            assert (finish.drafted > 0) <= (draft == lfm.Draft.LOOKUP)
    assert said[0] == said[1]
    assert engine.info.draft == ""
    for draft in (7, lfm.Draft.MODEL):  # no draft, and none that the engine has
        with engine.session() as session, pytest.raises(lfm.ArgumentError) as failed:
            session.sync(prompt)
            session.generate(draft=draft)
        assert failed.value.field == "draft"


def test_a_draft_network_changes_no_text(engine, model_path):
    draft = pathlib.Path(model_path).with_name("lfm2-nano-draft-q4_0.gguf")
    prompt = engine.tokenizer.encode("Once upon a time")
    with lfm.Engine(model_path, threads=1, draft=draft) as with_draft:
        assert with_draft.info.draft == str(draft) and with_draft.info.draft_weight_bytes > 0
        said = []
        for each, by in ((engine, lfm.Draft.OFF), (with_draft, lfm.Draft.MODEL)):
            with each.session() as session:
                session.sync(prompt)
                finish = session.generate(max_tokens=100, sampling=lfm.Sampling(temperature=0.3, seed=1), draft=by)
                said.append(session.tokens)
        assert said[0] == said[1]
        assert finish.drafted > 0
    with pytest.raises(lfm.ArgumentError) as failed:
        lfm.Engine(model_path, threads=1, draft=model_path)
    assert failed.value.field == "draft"


def test_keys_and_values_of_8_bits(engine, tmp_path):
    prompt = engine.tokenizer.encode("one two three")
    short = {"cache_keys": lfm.CacheType.Q8_0, "cache_values": lfm.CacheType.Q8_0}
    with engine.session(**short) as session, engine.session(**short) as again, engine.session() as other:
        session.sync(prompt)
        other.sync(prompt)
        assert list(session.logits) != list(other.logits)
        session.save(tmp_path / "talk")
        again.load(tmp_path / "talk")
        assert list(again.logits) == list(session.logits)
        with pytest.raises(lfm.ArgumentError):
            other.load(tmp_path / "talk")
    with pytest.raises(lfm.ArgumentError) as failed:
        engine.session(cache_values=7)
    assert failed.value.field == "cache_values"


def test_matrices_of_floats_become_what_is_asked_for():
    sizes = []
    for weights in (None, "bf16", "q8_0"):
        with lfm.Engine(os.environ["LFM_TEST_FLOATS"], threads=1, weights=weights) as engine:
            sizes.append(engine.info.weight_bytes)
    assert sizes[0] > 1.8 * sizes[1] > 2 * sizes[2]
    with pytest.raises(ValueError, match="weights is one of"):
        lfm.Engine(os.environ["LFM_TEST_FLOATS"], weights="int4")


def test_what_is_no_choice_is_refused_by_name(engine, tmp_path):
    for field, ask in {"cache_keys": lambda: engine.session(cache_keys=-1), "form": lambda: engine.chat(form=9),
                       "draft": lambda: engine.session().generate(draft=-1)}.items():
        with pytest.raises(lfm.ArgumentError) as failed:
            ask()
        assert failed.value.field == field
    with pytest.raises(ValueError, match="dense is one of"):
        lfm.pack(engine.info.path, tmp_path / "out.lfm", dense="fast")


def test_forks_files_and_limits(engine, session, tmp_path):
    session.sync(engine.tokenizer.encode("Once upon a time"))
    fork = session.fork()
    assert fork.tokens == session.tokens and numpy.array_equal(fork.logits, session.logits)
    session.save(tmp_path / "s.state")
    other = engine.session(context_tokens=512)
    other.load(tmp_path / "s.state")
    assert other.tokens == session.tokens and other.stats.generated_tokens == 0
    info = other.sync(session.tokens + session.tokens)
    assert info.reused == len(session.tokens) == info.evaluated
    with pytest.raises(lfm.LimitError) as problem:
        session.sync([7] * 513)
    assert (problem.value.have, problem.value.limit, problem.value.field) == (513, 512, "tokens")
    with pytest.raises(lfm.IoError) as io_problem:
        other.load(tmp_path / "nothing")
    assert isinstance(io_problem.value, OSError)
    session.cancel()
    session.clear_cancel()
    session.sync([7])
    session.cancel()
    with pytest.raises(lfm.CancelledError):
        session.sync([8])


def test_opening(model_path, tmp_path):
    told = []
    with lfm.Engine(model_path, threads=1, progress=lambda *now: told.append(now)) as engine:
        assert engine.info.path == model_path and engine.info.layers > 0 and engine.info.threads == 1
        assert engine.info.architecture.startswith("lfm2")
    assert engine.closed and told and told[-1][1] == told[-1][2]
    with pytest.raises(lfm.StateError):
        engine.session()
    cancel = lfm.Cancel()
    cancel.request()
    with pytest.raises(lfm.CancelledError):
        lfm.Engine(model_path, cancel=cancel)
    with pytest.raises(ZeroDivisionError):
        lfm.Engine(model_path, progress=lambda *_: 1 / 0)
    with pytest.raises(lfm.IoError) as problem:
        lfm.Engine("/nonexistent/model.gguf")
    assert problem.value.kind == "io" and "No such file" in str(problem.value)
    with pytest.raises(ValueError):
        lfm.Engine(model_path, load="fast")
    packed = tmp_path / "model.lfm"
    info = lfm.pack(model_path, packed)
    assert info.file_bytes == packed.stat().st_size and lfm.verify_pack(packed) == info
    with pytest.raises(lfm.ArgumentError):
        lfm.pack(model_path, packed)
    with lfm.Engine(packed) as engine:
        assert engine.info.packed
