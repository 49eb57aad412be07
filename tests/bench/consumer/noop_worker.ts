// A worker that does nothing, as fast as can be: it serves to measure its caller. With `batches` it takes streamed ones.

import { BATCH_PATH, offerBatches } from "../../../shared/contract/batch_lines.ts";

let count = 0;
let firstMs = 0;
let lastMs = 0;
const done = new TextEncoder().encode("{}");
const batches = Deno.args.includes("batches");

/** Finds the keys without parsing the rest: each stands first in its line. */
function answerAll(text: string): Response {
  const keys = [...text.matchAll(/^\{"key":("(?:[^"\\]|\\.)*")/gm)];
  count += keys.length;
  return new Response(keys.map(([, key]) => `{"key":${key},"status":200}\n`).join(""));
}

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  if (request.method === "POST") {
    // Unread, the body would cost the caller its connection.
    const body = await request.text();
    lastMs = performance.now();
    firstMs ||= lastMs;
    if (request.url.endsWith(BATCH_PATH)) return answerAll(body);
    count += 1;
    return batches ? offerBatches(new Response(done)) : new Response(done);
  }
  if (request.url.endsWith("/reset")) [count, firstMs, lastMs] = [0, 0, 0];
  return Response.json({ count, tookMs: lastMs - firstMs });
});
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ message: "listening", port: server.addr.port }) + "\n"),
);
