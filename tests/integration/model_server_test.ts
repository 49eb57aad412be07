// The local model as users meet it: a process that trains, listens and answers the openai SDK.

import assert from "node:assert/strict";
import OpenAI from "openai";

const MAIN = new URL("../../local/model/main.ts", import.meta.url);

interface Completion {
  readonly category: string;
  readonly reason: string;
  readonly language: string;
}

Deno.test("model_main.ts trains, answers through the openai SDK and stops on SIGTERM", async () => {
  const { process, port, finished } = await startModel();
  try {
    const client = new OpenAI({ apiKey: "none", baseURL: `http://localhost:${port}/v1`, maxRetries: 0 });
    const answer = await client.chat.completions.create({
      model: "gpt-4o-mini",
      logprobs: true,
      top_logprobs: 5,
      messages: [
        { role: "system", content: "Classify the ticket." },
        {
          role: "user",
          content: `<ticket>\n${
            JSON.stringify({ subject: "Charged twice", body: "You took my money two times.\nRefund please" })
          }\n</ticket>`,
        },
      ],
      response_format: { type: "json_schema", json_schema: { name: "label", strict: true, schema } },
    });
    const content = answer.choices[0]?.message.content ?? "";
    const label: Completion = JSON.parse(content);
    assert.equal(label.category, "billing");
    assert.equal(label.language, "en");
    assert.ok(label.reason.length > 0 && label.reason.length <= 200);
    const tokens = answer.choices[0]?.logprobs?.content ?? [];
    assert.equal(tokens.map(({ token }) => token).join(""), content);
    const category = tokens.find(({ token }) => token === "billing");
    const odds = (category?.top_logprobs ?? []).map(({ logprob }) => Math.exp(logprob));
    assert.equal(odds.length, 5);
    assert.ok(Math.abs(odds.reduce((sum, one) => sum + one, 0) - 1) < 1e-9);
    assert.equal((await client.models.list()).data[0]?.id, "ackpool-local-embeddings");
  } finally {
    process.kill("SIGTERM");
    assert.equal((await process.status).code, 0);
    assert.match(await finished, /"stopped"/);
  }
});

const schema = {
  type: "object",
  additionalProperties: false,
  required: ["category", "reason", "language"],
  properties: {
    category: { type: "string", enum: ["billing", "bug", "feature_request", "account", "other"] },
    reason: { type: "string" },
    language: { type: "string" },
  },
};

async function startModel() {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN.pathname],
    env: { PORT: "0" },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  for (;;) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`the model ended before it listened: ${seen}`);
    seen += value;
    const port = /"message":"listening".*?"port":(\d+)/.exec(seen)?.[1];
    if (port !== undefined) return { process, port, finished: readRest(lines) };
  }
}

async function readRest(lines: ReadableStreamDefaultReader<string>): Promise<string> {
  let rest = "";
  for (;;) {
    const { value, done } = await lines.read();
    if (done) return rest;
    rest += value;
  }
}
