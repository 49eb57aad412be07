// An LLM that answers at once and costs as little as possible: `deno run -A tests/bench/worker/instant_llm.ts`.

import { serveRaw } from "../raw_http.ts";

const label = (id?: number) => ({
  ...(id === undefined ? {} : { id }),
  category: "billing",
  language: "en",
  reason: "It is about an invoice.",
});

function completion(content: string): Uint8Array {
  const cut = content.indexOf("billing");
  const parts = [content.slice(0, cut), "billing", content.slice(cut + "billing".length)];
  return new TextEncoder().encode(JSON.stringify({
    id: "chatcmpl-instant",
    object: "chat.completion",
    created: 0,
    model: "gpt-4o-mini",
    choices: [{
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content, refusal: null },
      logprobs: {
        content: parts.map((token) => ({ token, logprob: -0.05, bytes: null, top_logprobs: [] })),
        refusal: null,
      },
    }],
    usage: { prompt_tokens: 500, completion_tokens: 30, total_tokens: 530 },
  }));
}

const one = completion(JSON.stringify(label()));
const many = new Map<number, Uint8Array>();

/** Counts the tickets of a batch by their ids, without parsing the request. */
function answer(body: string): Uint8Array {
  if (!body.includes("<tickets>")) return one;
  const count = body.split('{\\"id\\":').length - 1;
  const made = many.get(count) ??
    completion(JSON.stringify({ labels: Array.from({ length: count }, (_, at) => label(at + 1)) }));
  many.set(count, made);
  return made;
}

const port = serveRaw(answer);
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ message: "listening", port })}\n`));
