import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { answer, becomesIdle, question, schema, serve, weather } from "./server.js";

const url = await serve();
const client = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const asked = { model: "nano", max_tokens: 200, messages: question, temperature: 0 };
const tools = [{ name: "get_weather", description: "Weather of a city", input_schema: weather.function.parameters }];

test("chat, with what it cost", async () => {
  const message = await client.messages.create(asked);
  assert.deepEqual(message.content.map((block) => block.text), [answer]);
  assert.equal(message.stop_reason, "end_turn");
  const { input_tokens } = await client.messages.countTokens({ model: "nano", messages: question });
  assert.equal(message.usage.input_tokens + message.usage.cache_read_input_tokens, input_tokens);
});

test("a stream is put together", async () => {
  let text = "";
  const stream = client.messages.stream(asked).on("text", (part) => (text += part));
  const message = await stream.finalMessage();
  assert.equal(text, answer);
  assert.equal(message.content[0].text, answer);
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(message.usage.output_tokens > 0);
});

test("tools in a loop", async () => {
  for (const streamed of [false, true]) {
    const messages = [{ role: "user", content: "What is the weather in Rome?" }];
    const body = { ...asked, messages, tools };
    const said = streamed ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
    assert.equal(said.stop_reason, "tool_use");
    const use = said.content.find((block) => block.type === "tool_use");
    assert.deepEqual(use.input, { city: "Rome" });
    messages.push(
      { role: "assistant", content: said.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: '{"celsius": 21}' }] },
    );
    const last = await client.messages.create({ ...body, tool_choice: { type: "none" } });
    assert.equal(last.content[0].type, "text");
  }
});

test("a tool that has to be used", async () => {
  const said = await client.messages.create({ ...asked, tools, tool_choice: { type: "tool", name: "get_weather" } });
  assert.equal(said.content.at(-1).name, "get_weather");
});

test("a schema", async () => {
  const message = await client.messages.create({
    ...asked,
    messages: [{ role: "user", content: "Ada is 36. Give me JSON." }],
    output_config: { format: { type: "json_schema", schema } },
  });
  assert.ok(JSON.parse(message.content[0].text).age <= 6);
});

test("thinking may be asked for", async () => {
  const message = await client.messages.create({ ...asked, thinking: { type: "enabled", budget_tokens: 1024 } });
  assert.equal(message.content.at(-1).text, answer);
});

test("an abort ends the work", async () => {
  const stream = client.messages.stream({
    ...asked,
    max_tokens: 4000,
    messages: [{ role: "user", content: "Tell me a story." }],
  });
  stream.on("text", () => stream.abort());
  await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
  assert.ok(await becomesIdle(url));
});

test("errors are of their kinds", async () => {
  await assert.rejects(client.messages.create({ ...asked, temperature: -5 }), (error) => {
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.error.error.type, "invalid_request_error");
    assert.match(error.message, /temperature/);
    return true;
  });
  const locked = await serve("--api-key", "secret");
  const wrong = new Anthropic({ baseURL: locked, apiKey: "other", maxRetries: 0 });
  await assert.rejects(wrong.messages.create(asked), Anthropic.AuthenticationError);
  await new Anthropic({ baseURL: locked, apiKey: "secret", maxRetries: 0 }).messages.create(asked);
});
