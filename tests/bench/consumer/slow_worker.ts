// A worker that only waits, as an LLM makes one wait: lognormal latency, and an account of how busy it was kept.

const [medianMs = "250", sigma = "1", capMs = "8000", permits = "80"] = Deno.args;
let inFlight = 0;
let most = 0;
let count = 0;
let firstMs = 0;
/** Integral of requests in flight over time, up to the last change; and up to the last request that came. */
let busyMs = 0;
let changedMs = 0;
let atLastStart = { ms: 0, busyMs: 0 };

/** A standard normal number: Box and Muller's way. */
function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function change(by: number): void {
  const nowMs = performance.now();
  if (count > 0) busyMs += inFlight * (nowMs - changedMs);
  changedMs = nowMs;
  inFlight += by;
  most = Math.max(most, inFlight);
}

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  if (request.method !== "POST") {
    const wallMs = atLastStart.ms - firstMs;
    return Response.json({
      count,
      inFlight,
      most,
      wallMs,
      busy: atLastStart.busyMs / (wallMs * Number(permits)),
    });
  }
  change(1);
  firstMs ||= changedMs;
  count += 1;
  atLastStart = { ms: changedMs, busyMs };
  await request.arrayBuffer();
  const waitMs = Math.min(Number(capMs), Number(medianMs) * Math.exp(Number(sigma) * normal()));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  change(-1);
  return new Response("{}");
});
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ message: "listening", port: server.addr.port }) + "\n"),
);
