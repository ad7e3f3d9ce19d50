// A server with the nano model for a file of tests: LFM is the program, LFM_NANO its model.
import { spawn } from "node:child_process";

export async function serve(...more) {
  const child = spawn(
    process.env.LFM,
    ["serve", "-m", process.env.LFM_NANO, "--port", "0", "--pack-cache", "off", "-t", "1", "--metrics", ...more],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  process.on("exit", () => child.kill());
  let said = "";
  const url = await new Promise((resolve, reject) => {
    child.on("exit", (status) => reject(new Error(`lfm serve ended with ${status}: ${said}`)));
    child.stderr.on("data", (text) => {
      said += text;
      const address = said.match(/http:\/\/[0-9.]+:[0-9]+/);
      if (address && said.includes("is ready")) resolve(address[0]);
    });
  });
  child.unref();
  child.stderr.unref();
  return url;
}

export const question = [{ role: "user", content: "What is 17 + 25?" }];
export const answer = "17 + 25 = 42.";

export const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

export const schema = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", maximum: 6 } },
  required: ["name", "age"],
  additionalProperties: false,
};

// Whether nothing is made any more, soon.
export async function becomesIdle(url) {
  for (let i = 0; i < 100; ++i) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const busy = text.match(/^\S*(?:processing|busy)\S* (\d+)/m);
    if (busy && busy[1] === "0") return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
