// The loop that the worker is compared with: it only makes the same call through the same SDK, as often as asked.
// `deno run -A tests/bench/worker/bare_llm_loop.ts BASE_URL IN_FLIGHT`; `POST /?calls=N` runs it and answers how long it took.

import OpenAI from "openai";
import { promptWriter } from "../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../worker/core/taxonomy.ts";
import taxonomy from "../../../worker/taxonomy.json" with { type: "json" };
import { benchTicket } from "./bench_ticket.ts";

const [baseURL = "", inFlight = "64"] = Deno.args;
const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0, logLevel: "off" });
const prompts = promptWriter(parseTaxonomy(taxonomy));

let next = 0;
let end = 0;
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

async function run(calls: number): Promise<{ readonly tookMs: number }> {
  end = next + calls;
  const startMs = performance.now();
  await Promise.all(Array.from({ length: Number(inFlight) }, loop));
  return { tookMs: performance.now() - startMs };
}

const { addr } = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  async (request) => Response.json(await run(Number(new URL(request.url).searchParams.get("calls")))),
);
const listening = JSON.stringify({ message: "listening", port: addr.port });
Deno.stdout.writeSync(new TextEncoder().encode(`${listening}\n`));
