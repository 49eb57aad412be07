// A worker that does nothing, as fast as can be: it serves to measure its caller.

let count = 0;
let firstMs = 0;
let lastMs = 0;
const done = new TextEncoder().encode("{}");

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  if (request.method === "POST") {
    // Unread, the body would cost the caller its connection.
    await request.arrayBuffer();
    lastMs = performance.now();
    firstMs ||= lastMs;
    count += 1;
    return new Response(done);
  }
  if (request.url.endsWith("/reset")) [count, firstMs, lastMs] = [0, 0, 0];
  return Response.json({ count, tookMs: lastMs - firstMs });
});
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ message: "listening", port: server.addr.port }) + "\n"),
);
