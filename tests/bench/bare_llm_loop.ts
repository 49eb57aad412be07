// What the worker is compared with: a loop that only makes the same call through the same SDK.
// `deno run -A tests/bench/bare_llm_loop.ts BASE_URL IN_FLIGHT CALLS`

import process from "node:process";
import OpenAI from "openai";
import { promptWriter } from "../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../worker/core/taxonomy.ts";
import taxonomy from "../../worker/taxonomy.json" with { type: "json" };
import { benchTicket, WARM_UP } from "./bench_ticket.ts";

const [baseURL = "", inFlight = "64", calls = "1000"] = Deno.args;
const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0, logLevel: "off" });
const prompts = promptWriter(parseTaxonomy(taxonomy));

let next = 0;
let end = WARM_UP;
async function loop(): Promise<void> {
  while (next < end) {
    const { system, user, schema, schemaName } = prompts.write(benchTicket(next++));
    await client.chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "system", content: system }, { role: "user", content: user }],
      temperature: 0,
      max_tokens: 300,
      logprobs: true,
      top_logprobs: 5,
      response_format: {
        type: "json_schema",
        json_schema: { name: schemaName, strict: true, schema: { ...schema } },
      },
    });
  }
}

const loops = () => Promise.all(Array.from({ length: Number(inFlight) }, loop));
await loops();
end += Number(calls);
const cpuBefore = process.cpuUsage();
const startMs = performance.now();
await loops();
const tookMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(cpuBefore);
const cpuMs = (user + system) / 1_000;
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ message: "done", tookMs, cpuMs })}\n`));
