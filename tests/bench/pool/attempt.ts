// What an attempt costs in this process besides what HTTP costs anyway: `deno run -A tests/bench/pool/attempt.ts`.
//
// Side by side on one no-op server in a process of its own: undici's `request` and `dispatch` bare, and ours.

import process from "node:process";
import { Agent, request } from "undici";
import { send } from "../../../shared/pool/exchange/buffered.ts";
import { Connections } from "../../../shared/pool/exchange/connections.ts";
import { TimerWheel } from "../../../shared/pool/exchange/timer_wheel.ts";
import { startChild } from "../../support/processes/process.ts";

const ATTEMPTS = 20_000;
const AT_ONCE = 80;
const ROUNDS = 5;
const SERVER = `Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  async (request) => (await request.arrayBuffer(), Response.json({ category: "billing", confidence: 0.9 })))`;

const body = new TextEncoder().encode(JSON.stringify({ ticket_id: 1, subject: "s", body: "x".repeat(500) }));
const headers = {
  "content-type": "application/json",
  "idempotency-key": '"support-tickets/3/123456"',
  "ackpool-timestamp": "1700000000123",
  "ackpool-attempt": "1",
  "ackpool-deadline": "60000",
  "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

type Way = (address: string) => Promise<unknown>;

function ways(
  address: string,
): { readonly all: Record<string, Way>; readonly close: () => Promise<unknown> } {
  const bare = new Agent({ pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const endpoint = { address, origin: address, basePath: "", url: new URL(address), source: address };
  const ports = { connections: new Connections(5000), timers: new TimerWheel(), retryAfterMaxMs: 300_000 };
  return {
    close: () => Promise.all([bare.close(), ports.connections.close()]),
    all: {
      "undici request": async () => {
        const response = await request(`${address}/classify`, {
          dispatcher: bare,
          method: "POST",
          headers,
          body,
        });
        await response.body.arrayBuffer();
      },
      "undici dispatch": () =>
        new Promise<void>((resolve, reject) => {
          bare.dispatch({ origin: address, path: "/classify", method: "POST", headers, body }, {
            onRequestStart() {},
            onResponseStart() {},
            onResponseData() {},
            onResponseEnd: () => resolve(),
            onResponseError: (_, error) => reject(error),
          });
        }),
      "an attempt": () => send(ports, endpoint, { headers, body, timeoutMs: 60_000 }),
    },
  };
}

async function measure(way: Way, address: string): Promise<{ readonly us: number; readonly cpuUs: number }> {
  let left = ATTEMPTS;
  const startedMs = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await way(address);
  }));
  const { user, system } = process.cpuUsage(before);
  return { us: (performance.now() - startedMs) * 1000 / ATTEMPTS, cpuUs: (user + system) / ATTEMPTS };
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

await using server = startChild({ name: "server", command: Deno.execPath(), args: ["eval", SERVER] });
const { text: port } = await server.waitForLine(({ text }) => /^\d+$/.test(text));
const address = `http://127.0.0.1:${port}`;
const { all, close } = ways(address);
const rounds = new Map(Object.keys(all).map((name) => [name, [] as { us: number; cpuUs: number }[]]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, way] of Object.entries(all)) {
    const measured = await measure(way, address);
    if (round > 0) rounds.get(name)?.push(measured);
  }
}
await close();
for (const [name, measured] of rounds) {
  const [us, cpuUs] = [median(measured.map(({ us }) => us)), median(measured.map(({ cpuUs }) => cpuUs))];
  const line = `${name.padEnd(16)} ${us.toFixed(1).padStart(7)} µs each, ${
    cpuUs.toFixed(1).padStart(7)
  } µs of CPU\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
