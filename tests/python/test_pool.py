import threading

import pytest

import lfm

SYSTEM = lfm.Message("system", "You answer questions about numbers, briefly.")


@pytest.fixture
def pool(engine):
    with lfm.SessionPool(engine, context_tokens=512, bytes=64 << 20) as pool:
        yield pool


def test_whoever_comes_begins_with_what_was_read(chat, pool):
    first = pool.answer(chat, [SYSTEM, "What is 1 + 1?"], max_tokens=30)
    assert first.prompt.reused == 0
    second = pool.answer(chat, [SYSTEM, "What is 17 + 25?"], max_tokens=30)
    assert second.prompt.reused > 0 and "42" in second.text
    # A history that comes back as a client has it: text alone, which is known by its tokens.
    asked = [SYSTEM, "What is 17 + 25?", {"role": "assistant", "content": second.text}, "What is 2 + 2?"]
    assert pool.recall(asked)[2].tokens == second.message.tokens
    assert pool.answer(chat, asked, max_tokens=30).prompt.evaluated < 40
    assert pool.stats.taken == 3 and pool.stats.answers == 3 and 0 < pool.stats.bytes <= pool.stats.most_bytes
    assert pool.date(asked) is not None and pool.date(["Never asked"]) is None


def test_streams_of_many_threads(chat, pool):
    texts = {}

    def ask(a):
        with pool.stream(chat, [SYSTEM, f"What is {a} + 25?"], max_tokens=30) as stream:
            texts[a] = "".join(piece.text for piece in stream)
    threads = [threading.Thread(target=ask, args=(a,)) for a in range(15, 19)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f"= {a + 25}" in texts[a] for a in range(15, 19)] == [True] * 4


def test_sessions_and_files(chat, pool, tmp_path):
    tokens = chat.render([SYSTEM, "Hello?"])
    with pool.take(tokens) as session:
        assert session.tokens == [] and session.context_tokens == 512
        system = len(chat.render([SYSTEM], generation_prompt=False))
        session.sync(tokens, ends=[system])
        pool.keep(session, system)
        pool.keep(session)
    assert pool.stats.states == 2
    with pool.take(tokens) as session:
        assert session.tokens == tokens
    pool.save(tmp_path)
    pool.clear()
    assert pool.stats.states == 0
    (tmp_path / "other").write_text("no state")
    states, left_out = pool.load(tmp_path)
    assert states >= 1 and left_out == 0
    assert pool.take(tokens).tokens == tokens
    said = lfm.Message("assistant", "So.", reasoning="Hm.")
    pool.remember(chat, ["And?"], said)
    assert pool.recall(["And?", lfm.Message("assistant", "So.")])[1].reasoning == "Hm."
    with pytest.raises(lfm.ArgumentError) as problem:
        pool.keep(chat.engine.session(context_tokens=100))
    assert problem.value.field == "session"
    with pytest.raises(KeyError):
        pool.answer(chat, ["Hello?"], lambda piece: {}["mine"])
