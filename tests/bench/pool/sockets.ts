// `deno task bench:sockets`: 100,000 attempts with faults, hedges and abandoned ones; no socket may be left, no permit lost.

import { flagsOf } from "../../support/test_command.ts";
import { AttemptAbandoned } from "../../../shared/pool/exchange/buffered.ts";
import { Pool } from "../../../shared/pool/pool.ts";
import { stream } from "../../simulation/random.ts";
import { openSockets } from "../../support/open_sockets.ts";
import { freePort } from "../../support/ports.ts";
import { type Child, startChild } from "../../support/processes/process.ts";
import { until } from "../../support/until.ts";

const values = flagsOf(
  "bench:sockets",
  "Many attempts with faults and hedges: no socket may be left, no permit lost.",
  { attempts: { type: "string", default: "100000" } },
);
const attempts = Number(values.attempts);
const REPLICAS = 4;
const CONCURRENCY = 8;
/** Attempts between two kills of a replica. */
const KILL_EVERY = 10_000;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const port = freePort();

async function startReplica(index: number): Promise<Child> {
  const args = [
    "run",
    "-A",
    "tests/bench/pool/faulty_worker.ts",
    `127.0.0.${index + 2}`,
    String(port),
    String(index),
  ];
  const child = startChild({ name: `replica ${index}`, command: Deno.execPath(), args });
  await child.waitForLine(({ text }) => text.startsWith("listening"));
  return child;
}

const replicas: Child[] = [];
for (let index = 0; index < REPLICAS; index++) replicas.push(await startReplica(index));
const random = stream(1);
const config = {
  urls: replicas.map((_, index) => new URL(`http://127.0.0.${index + 2}:${port}`)),
  concurrency: CONCURRENCY,
  token: undefined,
  connectTimeoutMs: 1000,
  hedgeMs: 100,
};

/** The runtime opens sockets of its own with the first request, and with the first child that is killed. */
async function warmUp(): Promise<number> {
  await restart(0);
  const first = new Pool(config);
  await first.start();
  await first.send({ headers: {}, body: null, timeoutMs: 1000 });
  await first.close();
  return openSockets();
}

async function restart(index: number): Promise<void> {
  replicas[index]?.kill("SIGKILL");
  await replicas[index]?.exit;
  replicas[index] = await startReplica(index);
}

const before = await warmUp();
const pool = new Pool(config);
let [sent, most] = [0, 0];
const outcomes = new Map<string, number>();

async function sendOne(): Promise<void> {
  const number = sent++;
  const signal = random() < 0.01 ? { signal: AbortSignal.timeout(1 + Math.round(random() * 20)) } : {};
  const headers = { "content-type": "application/json", "idempotency-key": `"t/0/${number}"` };
  let label: string;
  try {
    const { outcome } = await pool.send({ headers, body: new Uint8Array(500), timeoutMs: 400, ...signal });
    label = outcome.kind === "answer" ? String(outcome.status) : outcome.limit ?? outcome.kind;
  } catch (error) {
    if (!(error instanceof AttemptAbandoned)) throw error;
    label = "abandoned";
  }
  outcomes.set(label, (outcomes.get(label) ?? 0) + 1);
}

/** One lane of the load: it goes on as long as there are attempts to make. */
async function lane(): Promise<void> {
  while (sent < attempts) {
    await until("a permit", () => pool.inFlight < pool.permits, { everyMs: 2 });
    await sendOne();
  }
}

try {
  await pool.start();
  const lanes = Array.from({ length: REPLICAS * CONCURRENCY * 3 / 4 }, lane);
  const watching = (async () => {
    for (let kills = 0; sent < attempts;) {
      most = Math.max(most, openSockets() - before);
      if (sent >= (kills + 1) * KILL_EVERY) {
        await restart(kills++ % REPLICAS);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await Promise.all([...lanes, watching]);
  const { inFlight, hedges } = pool;
  await until("the last second attempts", () => pool.inFlight === 0);
  await pool.close();
  await until("all sockets closed", () => openSockets() <= before);
  say(`${sent} attempts: ${[...outcomes].map(([label, count]) => `${count} ${label}`).join(", ")}`);
  say(`hedges: ${hedges.sent} sent, ${hedges.won} won; in flight at the end: ${inFlight}`);
  say(`sockets: ${before} before, at most ${most} more, ${openSockets()} after`);
  if (most > 3 * REPLICAS * CONCURRENCY) {
    throw new Error(`${most} sockets for ${REPLICAS * CONCURRENCY} permits`);
  }
} finally {
  for (const replica of replicas) await replica[Symbol.asyncDispose]();
}
