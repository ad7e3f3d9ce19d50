import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { answer, becomesIdle, schema, serve, weather } from "./server.js";

const url = await serve();
const provider = createOpenAICompatible({
  name: "lfm",
  baseURL: `${url}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = provider.chatModel("nano");
const ask = (text) => [{ role: "user", content: [{ type: "text", text }] }];
const tools = [
  { type: "function", name: "get_weather", description: "Weather", inputSchema: weather.function.parameters },
];

async function parts(options) {
  const { stream } = await model.doStream({ temperature: 0, ...options });
  const all = [];
  for await (const part of stream) {
    if (part.type === "error") throw part.error;
    all.push(part);
  }
  return all;
}

test("chat", async () => {
  const result = await model.doGenerate({ prompt: ask("What is 17 + 25?"), temperature: 0 });
  assert.deepEqual(result.content.map((part) => part.text), [answer]);
  assert.equal(result.finishReason.unified ?? result.finishReason, "stop");
});

test("a stream", async () => {
  const all = await parts({ prompt: ask("What is 17 + 25?") });
  const text = all.filter((part) => part.type === "text-delta").map((part) => part.delta).join("");
  assert.equal(text, answer);
  const last = all.at(-1);
  assert.equal(last.type, "finish");
  assert.equal(last.finishReason.unified ?? last.finishReason, "stop");
  assert.ok((last.usage.outputTokens.total ?? last.usage.outputTokens) > 0);
});

test("tools in a loop", async () => {
  const prompt = ask("What is the weather in Rome?");
  for (const streamed of [false, true]) {
    const content = streamed
      ? await parts({ prompt, tools })
      : (await model.doGenerate({ prompt, tools, temperature: 0 })).content;
    const call = content.find((part) => part.type === "tool-call");
    assert.equal(call.toolName, "get_weather");
    assert.deepEqual(JSON.parse(call.input), { city: "Rome" });
    const again = [
      ...prompt,
      { role: "assistant", content: [{ ...call, input: JSON.parse(call.input) }] },
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: call.toolCallId,
            toolName: call.toolName,
            output: { type: "json", value: { celsius: 21 } },
          },
        ],
      },
    ];
    const result = await model.doGenerate({ prompt: again, tools, toolChoice: { type: "none" }, temperature: 0 });
    assert.equal(result.content[0].type, "text");
  }
});

test("a schema", async () => {
  const result = await model.doGenerate({
    prompt: ask("Ada is 36. Give me JSON."),
    responseFormat: { type: "json", name: "person", schema },
    temperature: 0,
  });
  assert.ok(JSON.parse(result.content[0].text).age <= 6);
});

test("an abort ends the work", async () => {
  const controller = new AbortController();
  const { stream } = await model.doStream({
    prompt: ask("Tell me a story."),
    providerOptions: { lfm: { ignore_eos: true } },
    abortSignal: controller.signal,
  });
  await assert.rejects(async () => {
    for await (const part of stream) {
      if (part.type === "text-delta") controller.abort();
    }
    controller.signal.throwIfAborted();
  });
  assert.ok(await becomesIdle(url));
});

test("errors are sentences", async () => {
  await assert.rejects(model.doGenerate({ prompt: ask("Hello"), temperature: -5 }), /temperature/);
});
