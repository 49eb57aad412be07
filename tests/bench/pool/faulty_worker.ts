// A worker that fails in every way there is: late, cut off, refusing, dripping, hanging. In a process of its own.

import { stream } from "../../simulation/random.ts";

const [hostname = "127.0.0.1", port = "0", seed = "1"] = Deno.args;
const random = stream(Number(seed));
const never = new Promise<Response>(() => {});

function drip(): Response {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
  });
  return new Response(body);
}

const server = Deno.serve({ hostname, port: Number(port), onListen: () => {} }, async (request) => {
  if (new URL(request.url).pathname === "/readyz") return new Response();
  await request.arrayBuffer();
  const dice = random();
  if (dice < 0.002) return await never;
  if (dice < 0.004) return drip();
  if (dice < 0.01) await new Promise((resolve) => setTimeout(resolve, 300));
  if (dice < 0.02) return new Response("x".repeat(200_000), { status: 500 });
  if (dice < 0.03) return new Response(null, { status: 503, headers: { "retry-after": "0" } });
  if (dice < 0.035) return new Response(null, { status: 200, headers: { connection: "close" } });
  return Response.json({ category: "billing" });
});
Deno.stdout.writeSync(new TextEncoder().encode(`listening ${server.addr.port}\n`));
