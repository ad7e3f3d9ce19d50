import assert from "node:assert/strict";
import { test } from "node:test";
import { constructLlmApi } from "@continuedev/openai-adapters";
import { answer, question, serve, weather } from "./server.js";

const url = await serve();
const asked = { model: "nano", messages: question, temperature: 0 };
const never = new AbortController().signal;

for (const [provider, apiBase] of [
  ["llama.cpp", `${url}/`],
  ["openai", `${url}/v1/`],
  ["ollama", `${url}/`],
]) {
  const api = constructLlmApi({ provider, apiBase, apiKey: "none", model: "nano" });

  test(`${provider}: chat`, async () => {
    const completion = await api.chatCompletionNonStream({ ...asked, stream: false }, never);
    assert.equal(completion.choices[0].message.content, answer);
  });

  test(`${provider}: a stream`, async () => {
    let text = "";
    for await (const chunk of api.chatCompletionStream({ ...asked, stream: true }, never))
      text += chunk.choices[0]?.delta.content ?? "";
    assert.equal(text, answer);
  });

  test(`${provider}: tools`, async () => {
    const messages = [{ role: "user", content: "What is the weather in Rome?" }];
    const body = { ...asked, messages, tools: [weather], stream: false };
    const completion = await api.chatCompletionNonStream(body, never);
    const [call] = completion.choices[0].message.tool_calls;
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Rome" });
  });
}
