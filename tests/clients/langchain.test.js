import assert from "node:assert/strict";
import { test } from "node:test";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { answer, schema, serve, weather } from "./server.js";

const url = await serve();
const make = (more) =>
  new ChatOpenAI({
    model: "nano",
    apiKey: "none",
    temperature: 0,
    maxRetries: 0,
    configuration: { baseURL: `${url}/v1` },
    ...more,
  });

test("chat, with what it cost", async () => {
  const said = await make().invoke("What is 17 + 25?");
  assert.equal(said.content, answer);
  assert.ok(said.usage_metadata.output_tokens > 0);
});

test("a stream", async () => {
  let whole;
  for await (const chunk of await make().stream("What is 17 + 25?")) whole = whole ? whole.concat(chunk) : chunk;
  assert.equal(whole.content, answer);
  assert.ok(whole.usage_metadata.output_tokens > 0);
});

test("tools in a loop", async () => {
  const model = make().bindTools([weather]);
  const messages = [new HumanMessage("What is the weather in Rome?")];
  const said = await model.invoke(messages);
  assert.equal(said.tool_calls.length, 1);
  assert.deepEqual(said.tool_calls[0].args, { city: "Rome" });
  messages.push(said, new ToolMessage({ content: '{"celsius": 21}', tool_call_id: said.tool_calls[0].id }));
  const last = await make().bindTools([weather], { tool_choice: "none" }).invoke(messages);
  assert.ok(last.content.length > 0);
});

test("a schema", async () => {
  const model = make().withStructuredOutput(schema, { name: "person", method: "jsonSchema", strict: true });
  const person = await model.invoke("Ada is 36. Give me JSON.");
  assert.ok(person.age <= 6);
});

test("log-probabilities", async () => {
  const said = await make({ logprobs: true, topLogprobs: 2 }).invoke("What is 17 + 25?");
  const { content } = said.response_metadata.logprobs;
  assert.equal(content.map((one) => one.token).join(""), answer);
});

test("an abort", async () => {
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of await make().stream("Tell me a story.", { signal: controller.signal })) controller.abort();
    controller.signal.throwIfAborted();
  });
});

test("errors are sentences", async () => {
  await assert.rejects(make({ temperature: -5 }).invoke("Hello"), /temperature/);
});
