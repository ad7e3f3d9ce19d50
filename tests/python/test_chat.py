import json
import threading
import time

import pytest

import lfm

WEATHER = {"name": "get_weather", "description": "Weather of a city",
           "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


def test_a_conversation_streams_and_reuses(chat, session):
    messages = [lfm.Message("user", "My name is Ada.")]
    with chat.stream(session, messages, max_tokens=40) as stream:
        text = "".join(piece.text for piece in stream if piece.kind == lfm.PieceKind.TEXT)
        answer = stream.result
    assert "Ada" in text and answer.text == text == answer.message.content
    assert answer.finish.reason == lfm.FinishReason.END and answer.finish.tokens > 0
    assert answer.prompt.reused == 0
    messages += [answer.message, lfm.Message("user", "What is my name?")]
    answer = chat.answer(session, messages, max_tokens=40)
    assert "Ada" in answer.text and answer.prompt.reused > 0
    again = lfm.messages_from_json(lfm.messages_to_json(messages))
    assert again == messages


def test_a_loop_of_tools(engine, session):
    chat = engine.chat(tools=[WEATHER])
    messages = [lfm.Message("user", "What is the weather in Rome?")]
    answer = chat.answer(session, messages, max_tokens=60)
    (call,) = answer.message.tool_calls
    assert call.name == "get_weather" and call.values == {"city": "Rome"}
    messages += [answer.message, lfm.Message("tool", json.dumps({"sky": "sunny", "degrees": 21}))]
    answer = chat.answer(session, messages, max_tokens=60)
    assert "sunny" in answer.text and not answer.message.tool_calls


def test_an_extraction_holds_to_its_schema(chat, session):
    schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 10}, "age": {"type": "integer"}},
              "required": ["name", "age"], "additionalProperties": False}
    constraint = lfm.Constraint.json_schema(schema)
    for seed in range(5):
        sampling = lfm.Sampling(temperature=1.5, seed=seed)
        answer = chat.answer(session, "Who is 44?", constraint=constraint, max_tokens=150, sampling=sampling)
        if answer.finish.reason == lfm.FinishReason.END:
            assert set(json.loads(answer.text)) == {"name", "age"}
            assert constraint.check(answer.text) is None
    assert constraint.check('{"name": 1') == 9
    either = lfm.Constraint.either(lfm.Constraint.tools([{"name": "f"}], choice="auto"), constraint)
    assert either.check("[f()]") is None and either.check('{"name": 1') == 9
    with pytest.raises(lfm.UnsupportedError) as problem:
        lfm.Constraint.json_schema({"not": {"pattern": "a"}, "type": "string", "unevaluatedItems": {"type": "null"}})
    assert problem.value.field.startswith("/")


def test_cancel_from_another_thread(chat, session):
    cancel = lfm.Cancel()
    begun = threading.Event()
    threading.Thread(target=lambda: (begun.wait(), cancel.request())).start()
    answer = chat.answer(session, "Tell me a story.", lambda piece: begun.set(), max_tokens=400, ignore_end=True,
                         cancel=cancel)
    assert answer.finish.reason == lfm.FinishReason.CANCELLED
    cancel.request()  # too late, and of no other call
    assert chat.answer(session, "What is 1 + 1?", max_tokens=20).finish.reason != lfm.FinishReason.CANCELLED
    with chat.stream(session, "Tell me a story.", max_tokens=400, ignore_end=True) as stream:
        next(stream)
        stream.cancel()
        assert stream.result.finish.reason == lfm.FinishReason.CANCELLED


def test_a_stream_that_nobody_reads_on_ends(chat, session):
    stream = chat.stream(session, "Tell me a story.", max_tokens=100_000, ignore_end=True)
    next(stream)
    del stream
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            session.sync([])
            break
        except lfm.StateError:
            time.sleep(0.01)
    assert session.tokens == []


def test_what_callbacks_raise_is_raised(chat, session):
    def fail(*_):
        raise KeyError("mine")
    for options in ({"on_piece": fail}, {"mask": fail}, {"prompt_progress": fail}):
        on_piece = options.pop("on_piece", None)
        session.sync([])
        with pytest.raises(KeyError, match="mine"):
            chat.answer(session, "Hello?", on_piece, max_tokens=20, **options)
    assert chat.answer(session, "What is 1 + 1?", lambda piece: False).finish.reason == lfm.FinishReason.CANCELLED
    assert chat.answer(session, "What is 1 + 1?").finish.reason == lfm.FinishReason.END
    with pytest.raises(KeyError, match="mine"):
        for _ in chat.stream(session, "Hello?", mask=fail):
            pass


def test_continue_and_prefill(chat, session):
    greedy = lfm.Sampling(temperature=0)
    whole = chat.answer(session, "What is 17 + 25?", max_tokens=40, sampling=greedy)
    messages = [lfm.Message("user", "What is 17 + 25?")]
    messages.append(chat.answer(session, messages, max_tokens=3, sampling=greedy).message)
    more = chat.answer(session, messages, max_tokens=37, sampling=greedy, continue_last=True)
    assert more.message == whole.message and more.prompt.evaluated == 0
    messages[-1] = lfm.Message("assistant", "17 + 25")
    assert chat.answer(session, messages, sampling=greedy, continue_last=True).text.startswith("17 + 25")
    with pytest.raises(lfm.ArgumentError) as problem:
        chat.answer(session, messages[:1], continue_last=True)
    assert problem.value.field == "continue_last"


def test_rendering_and_fitting(chat):
    messages = ["one", {"role": "assistant", "content": "two"}, lfm.Message("user", "three")]
    tokens = chat.render(messages)
    assert chat.count(messages) == len(tokens) > chat.count(messages, generation_prompt=False)
    assert "three<|im_end|>" in chat.render_text(messages)
    assert chat.fit(messages, len(tokens)) == 0 and chat.fit(messages, len(tokens) - 1) == 2
    with pytest.raises(lfm.LimitError) as problem:
        chat.fit(messages, 3)
    assert problem.value.limit == 3 and problem.value.have > 3
    assert chat.form == lfm.ChatForm.LFM25 or chat.form in lfm.ChatForm
    assert isinstance(chat.notes, list)


def test_arguments(engine, chat, session):
    with pytest.raises(lfm.ArgumentError) as problem:
        engine.chat(tools=[WEATHER, WEATHER])
    assert problem.value.field == "tools" and problem.value.index == 1 and problem.value.kind == "argument"
    with pytest.raises(ValueError):
        chat.answer(session, [lfm.Message("nobody", "x")])
    with pytest.raises(ValueError):
        chat.answer(session, "a\0b")
    with pytest.raises(TypeError, match="max_token"):
        chat.answer(session, "x", max_token=3)
    with pytest.raises(lfm.FormatError) as format_problem:
        chat.answer(session, [{"role": "user", "content": 1}])
    assert format_problem.value.field == "content"
