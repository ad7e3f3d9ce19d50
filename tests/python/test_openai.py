import json

import pytest

import lfm

TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


@pytest.fixture
def client(engine):
    with lfm.Client(engine, context_tokens=512) as client:
        yield client


def test_a_completion(client):
    messages = [{"role": "user", "content": "My name is Ada."}]
    done = client.chat.completions.create(model="lfm2", messages=messages, max_tokens=40, temperature=0)
    assert done.object == "chat.completion" and done.model == "lfm2"
    (choice,) = done.choices
    assert "Ada" in choice.message.content and choice.finish_reason == "stop" and choice.message.tool_calls is None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens
    messages += [choice.message.model_dump(), {"role": "user", "content": "What is my name?"}]
    done = client.chat.completions.create(messages=messages, temperature=0, max_completion_tokens=2)
    assert done.choices[0].finish_reason == "length" and done.usage.completion_tokens == 2
    assert done.usage.prompt_tokens_details.cached_tokens > 0
    assert json.loads(done.model_dump_json())["choices"][0]["index"] == 0


def test_a_stream(client):
    chunks = list(client.chat.completions.create(
        messages=[{"role": "user", "content": "What is 17 + 25?"}], stream=True, temperature=0, logprobs=True,
        top_logprobs=2, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].usage.completion_tokens > 0
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert "42" in text and chunks[-2].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    said = [entry for chunk in chunks[:-1] if chunk.choices[0].logprobs for entry in chunk.choices[0].logprobs.content]
    assert "".join(entry.token for entry in said).strip() == text.strip() and len(said[0].top_logprobs) == 2
    with client.chat.completions.create(messages=["Tell me a story."], stream=True) as stream:
        next(stream)
    assert client.chat.completions.create(messages=["What is 1 + 1?"], max_tokens=5).choices  # it is free again


def test_tools(client):
    messages = [{"role": "user", "content": "What is the weather in Rome?"}]
    choice = client.chat.completions.create(messages=messages, tools=[TOOL], temperature=0).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert call.type == "function" and json.loads(call.function.arguments) == {"city": "Rome"}
    messages += [choice.message.model_dump(),
                 {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "sunny", "degrees": 21}'}]
    done = client.chat.completions.create(messages=messages, tools=[TOOL], temperature=0)
    assert "sunny" in done.choices[0].message.content
    forced = {"type": "function", "function": {"name": "get_weather"}}
    chunks = list(client.chat.completions.create(messages=["Hello."], tools=[TOOL], tool_choice=forced, stream=True,
                                                 max_tokens=100, temperature=0))
    calls = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
    assert not calls or calls[0].function.name == "get_weather"


def test_formats_and_choices(client):
    schema = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"],
              "additionalProperties": False}
    done = client.chat.completions.create(messages=["Is it?"], n=3, temperature=2, seed=1, response_format={
        "type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}})
    assert [choice.index for choice in done.choices] == [0, 1, 2]
    for choice in done.choices:
        assert json.loads(choice.message.content)["answer"] in ("yes", "no")


@pytest.mark.parametrize("field, options", [
    ("n", {"n": 0}), ("n", {"n": 2, "stream": True}), ("tool_choice", {"tool_choice": "required"}),
    ("tool_choice", {"tool_choice": "maybe"}), ("response_format", {"response_format": {"type": "xml"}}),
    ("audio", {"audio": {}}), ("top_p", {"top_p": 7.0}), ("messages", {"messages": []})])
def test_what_cant_be(client, field, options):
    with pytest.raises(lfm.ArgumentError) as problem:
        client.chat.completions.create(**{"messages": ["Hello."], **options})
    assert problem.value.field == field
