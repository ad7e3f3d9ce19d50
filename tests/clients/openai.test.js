import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { answer, becomesIdle, question, schema, serve, weather } from "./server.js";

const url = await serve();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const ask = (more) => client.chat.completions.create({ model: "nano", messages: question, temperature: 0, ...more });

test("models", async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  assert.equal(models.length, 1);
});

test("chat, with what it cost", async () => {
  const completion = await ask();
  assert.equal(completion.choices[0].message.content, answer);
  assert.equal(completion.choices[0].finish_reason, "stop");
  const { usage } = completion;
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.equal(typeof usage.prompt_tokens_details.cached_tokens, "number");
  assert.equal(typeof usage.completion_tokens_details.reasoning_tokens, "number");
});

test("a stream", async () => {
  let text = "", usage;
  for await (const chunk of await ask({ stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, answer);
  assert.ok(usage.completion_tokens > 0);
});

test("the stream's helper puts it together", async () => {
  const stream = client.chat.completions.stream({ model: "nano", messages: question, temperature: 0 });
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0].message.content, answer);
});

test("tools in a loop", async () => {
  const cities = [];
  const tool = structuredClone(weather);
  tool.function.function = ({ city }) => (cities.push(city), JSON.stringify({ city, celsius: 21 }));
  tool.function.parse = JSON.parse;
  const runner = client.chat.completions.runTools({
    model: "nano",
    temperature: 0,
    messages: [{ role: "user", content: "What is the weather in Rome?" }],
    tools: [tool],
  });
  const content = await runner.finalContent();
  assert.deepEqual(cities, ["Rome"]);
  assert.ok(content.length > 0);
});

test("a tool that has to be called", async () => {
  for (const stream of [false, true]) {
    const body = { tools: [weather], tool_choice: { type: "function", function: { name: "get_weather" } } };
    const completion = stream
      ? await client.chat.completions.stream({ model: "nano", messages: question, ...body }).finalChatCompletion()
      : await ask(body);
    const [call] = completion.choices[0].message.tool_calls;
    assert.equal(completion.choices[0].finish_reason, "tool_calls");
    assert.equal(call.function.name, "get_weather");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
  }
});

test("a schema", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "person", strict: true, schema } };
  const completion = await client.chat.completions.parse({
    model: "nano",
    temperature: 0,
    messages: [{ role: "user", content: "Ada is 36. Give me JSON." }],
    response_format,
  });
  const person = JSON.parse(completion.choices[0].message.content);
  assert.deepEqual(Object.keys(person), ["name", "age"]);
  assert.ok(person.age <= 6);
});

test("log-probabilities", async () => {
  const { content } = (await ask({ logprobs: true, top_logprobs: 3 })).choices[0].logprobs;
  assert.equal(content.map((one) => one.token).join(""), answer);
  for (const one of content) {
    assert.equal(one.top_logprobs.length, 3);
    assert.ok(one.logprob <= 0);
  }
});

test("thinking that is asked for or not changes no answer of a model that has none", async () => {
  for (const reasoning_effort of ["none", "low", "high"])
    assert.equal((await ask({ reasoning_effort })).choices[0].message.content, answer);
});

test("an abort ends the work", async () => {
  const stream = await ask({ stream: true, max_tokens: 4000, ignore_eos: true });
  for await (const _ of stream) break;
  stream.controller.abort();
  assert.ok(await becomesIdle(url));
});

test("errors tell their field", async () => {
  await assert.rejects(ask({ temperature: -5 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "temperature");
    return true;
  });
  await assert.rejects(ask({ messages: "no" }), OpenAI.BadRequestError);
  await assert.rejects(client.embeddings.create({ model: "nano", input: "a" }), (error) => error.status === 501);
  await assert.rejects(client.models.retrieve("other"), OpenAI.NotFoundError);
});

test("texts that go on", async () => {
  const completion = await client.completions.create({ model: "nano", prompt: "Once", max_tokens: 5 });
  assert.ok(completion.usage.completion_tokens <= 5);
});

test("a key", async () => {
  const locked = await serve("--api-key", "secret");
  const right = new OpenAI({ baseURL: `${locked}/v1`, apiKey: "secret", maxRetries: 0 });
  const wrong = new OpenAI({ baseURL: `${locked}/v1`, apiKey: "other", maxRetries: 0 });
  await right.models.list();
  await assert.rejects(wrong.models.list(), OpenAI.AuthenticationError);
});

const respond = (more) => client.responses.create({ model: "nano", input: question, temperature: 0, ...more });
const { function: described } = weather;
const flat = { type: "function", strict: false, ...described };

test("a response", async () => {
  const response = await respond();
  assert.equal(response.output_text, answer);
  assert.equal(response.status, "completed");
  const { usage } = response;
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  const cut = await respond({ max_output_tokens: 2 });
  assert.equal(cut.status, "incomplete");
  assert.equal(cut.incomplete_details.reason, "max_output_tokens");
});

test("a response that streams", async () => {
  let text = "", last;
  for await (const event of await respond({ stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta;
    last = event;
  }
  assert.equal(text, answer);
  assert.equal(last.type, "response.completed");
  const response = await client.responses.stream({ model: "nano", input: question, temperature: 0 }).finalResponse();
  assert.equal(response.output_text, answer);
});

test("responses that call tools in a loop", async () => {
  for (const stream of [false, true]) {
    const input = [{ role: "user", content: "What is the weather in Rome?" }];
    const body = { model: "nano", temperature: 0, tools: [flat] };
    for (let round = 0; ; ++round) {
      const response = stream
        ? await client.responses.stream({ ...body, input }).finalResponse()
        : await client.responses.create({ ...body, input });
      const calls = response.output.filter((item) => item.type === "function_call");
      input.push(...response.output);
      if (calls.length === 0) {
        assert.equal(round, 1);
        assert.match(response.output_text, /sunny/);
        break;
      }
      assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), [{ city: "Rome" }]);
      for (const { call_id } of calls)
        input.push({ type: "function_call_output", call_id, output: '{"sky": "sunny", "degrees": 21}' });
    }
  }
});

test("responses of a schema, with tools beside it", async () => {
  const text = { format: { type: "json_schema", name: "person", strict: true, schema } };
  const input = "Ada is 36. Give me JSON.";
  for (const tools of [[], [flat]]) {
    const response = await client.responses.parse({ model: "nano", temperature: 0, input, text, tools });
    assert.deepEqual(Object.keys(response.output_parsed), ["name", "age"]);
    assert.ok(response.output_parsed.age <= 6);
  }
});

test("a response that is broken off ends the work", async () => {
  const stream = await respond({ stream: true, ignore_eos: true });
  for await (const event of stream) if (event.type === "response.output_text.delta") break;
  stream.controller.abort();
  assert.ok(await becomesIdle(url));
});

test("what responses can't be is told", async () => {
  await assert.rejects(respond({ previous_response_id: "resp_1" }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "previous_response_id");
    return true;
  });
  await assert.rejects(client.responses.retrieve("resp_1"), OpenAI.NotFoundError);
});
