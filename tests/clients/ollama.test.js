import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { answer, becomesIdle, question, schema, serve, weather } from "./server.js";

const url = await serve();
const client = new Ollama({ host: url });
const asked = { model: "nano", messages: question, options: { temperature: 0 } };

test("what there is", async () => {
  const { models } = await client.list();
  assert.equal(models.length, 1);
  const { capabilities, model_info } = await client.show({ model: models[0].model });
  assert.ok(capabilities.includes("tools"));
  const front = model_info["general.architecture"];
  assert.ok(model_info[`${front}.context_length`] > 0);
  assert.equal((await client.ps()).models.length, 1);
  assert.ok((await client.version()).version);
});

test("chat, whole and as a stream", async () => {
  const whole = await client.chat(asked);
  assert.equal(whole.message.content, answer);
  assert.ok(whole.eval_count > 0);
  let text = "", last;
  for await (const part of await client.chat({ ...asked, stream: true })) {
    text += part.message.content;
    last = part;
  }
  assert.equal(text, answer);
  assert.ok(last.done);
  assert.equal(last.done_reason, "stop");
});

test("a text", async () => {
  const { response } = await client.generate({ model: "nano", prompt: "What is 17 + 25?", options: { temperature: 0 } });
  assert.equal(response, answer);
});

test("tools in a loop", async () => {
  const messages = [{ role: "user", content: "What is the weather in Rome?" }];
  const { message } = await client.chat({ ...asked, messages, tools: [weather] });
  assert.deepEqual(message.tool_calls[0].function, { name: "get_weather", arguments: { city: "Rome" } });
  messages.push(message, { role: "tool", tool_name: "get_weather", content: '{"celsius": 21}' });
  const last = await client.chat({ ...asked, messages });
  assert.ok(last.message.content.length > 0);
});

test("a schema", async () => {
  const messages = [{ role: "user", content: "Ada is 36. Give me JSON." }];
  const { message } = await client.chat({ ...asked, messages, format: schema });
  assert.ok(JSON.parse(message.content).age <= 6);
});

test("thinking may be asked for", async () => {
  assert.equal((await client.chat({ ...asked, think: true })).message.content, answer);
});

test("an abort ends the work", async () => {
  const own = new Ollama({ host: url });
  const messages = [{ role: "user", content: "Tell me a story." }];
  await assert.rejects(async () => {
    for await (const _ of await own.chat({ ...asked, messages, stream: true })) own.abort();
  });
  assert.ok(await becomesIdle(url));
});

test("errors are sentences", async () => {
  await assert.rejects(client.chat({ ...asked, options: { temperature: -5 } }), /options.temperature/);
});
