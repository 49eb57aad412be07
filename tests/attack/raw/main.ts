// `deno task attack:raw`: mutated raw requests at worker, ingress and admin port: no 500, no ejection, no growth.

import { flagsOf, show } from "../../support/test_command.ts";
import { residentMiB } from "../../bench/stage.ts";
import { sendRaw } from "./raw_client.ts";
import { RawRequests } from "./raw_requests.ts";
import { type RawTarget, startTargets } from "./targets.ts";

const values = flagsOf("attack:raw", "Mutated raw requests at a worker, an ingress and an admin port.", {
  requests: { type: "string", default: "2000" },
  seed: { type: "string", default: "1" },
  /** Connections at once. */
  connections: { type: "string", default: "32" },
  target: { type: "string", default: "worker,ingress,admin" },
});

/** Faults of ours: 503 and 504 may be said of a pool that is full. */
const FAULTS = new Set<unknown>([500, 502, "refused"]);
/** What a program writes when it did not expect something. */
const CRASHED = /Uncaught|panicked|unhandled|"crashed"|"message":"failed"|^\s+at .*:\d+:\d+\)?$/i;
const EJECTED = /ejected|replica-ejected|"left out"/i;
/** Memory after the first half and at the end may differ by so much, in MiB: a heap breathes. */
const GROWTH_MAX_MIB = 64;
const SHOWN = 5;

/** What came of all requests at one target. */
interface Campaign {
  readonly target: string;
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly memoryMiB: readonly number[];
  readonly seconds: number;
  readonly faults: readonly string[];
}

async function attack(
  { name, port, child, good }: RawTarget,
  count: number,
  seed: number,
): Promise<Campaign> {
  const startedMs = performance.now();
  const source = new RawRequests(seed, good);
  const statuses = new Map<string, number>();
  const faults: string[] = [];
  const memory: number[] = [];
  const linesBefore = child.lines.length;
  let sent = 0;
  const connection = async () => {
    while (sent < count && child.status === undefined) {
      const number = sent++;
      if (number % Math.ceil(count / 8) === 0) memory.push(await residentMiB(child.pid));
      const request = source.next();
      const { status, text } = await sendRaw(port, request);
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
      if (FAULTS.has(status)) faults.push(`${number}: ${status}: ${shown(request)} → ${text.slice(-300)}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.connections) }, connection));
  memory.push(await residentMiB(child.pid));
  if (child.status !== undefined) faults.push(child.failure("ended").message);
  for (const { text } of child.lines.slice(linesBefore)) {
    if (CRASHED.test(text) || EJECTED.test(text)) faults.push(text.slice(0, 600));
  }
  const [middle = 0, last = 0] = [memory[4], memory.at(-1)];
  if (last - middle > GROWTH_MAX_MIB) faults.push(`memory grows: ${memory.map(Math.round).join(", ")} MiB`);
  const alive = await sendRaw(port, [
    new TextEncoder().encode("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
  ]);
  if (alive.status !== 200) faults.push(`/livez afterwards: ${alive.status}`);
  return {
    target: name,
    requests: sent,
    statuses: Object.fromEntries([...statuses].sort()),
    memoryMiB: memory.map(Math.round),
    seconds: Math.round((performance.now() - startedMs) / 1000),
    faults,
  };
}

function shown(request: readonly Uint8Array[]): string {
  const text = request.map((piece) => new TextDecoder("latin1").decode(piece)).join("¦");
  return JSON.stringify(text.length > 700 ? `${text.slice(0, 500)} … ${text.slice(-200)}` : text);
}

let broken = false;
for (const withTokens of [true, false]) {
  await using stack = new AsyncDisposableStack();
  const wanted = values.target.split(",");
  for (const target of (await startTargets(stack, withTokens)).filter(({ name }) => wanted.includes(name))) {
    const { faults, ...campaign } = await attack(target, Number(values.requests), Number(values.seed));
    show(`${JSON.stringify({ tokens: withTokens, ...campaign, faults: faults.length })}\n`);
    for (const fault of [...new Set(faults.map((each) => each.replace(/\d+/g, "N")))].slice(0, SHOWN)) {
      show(`  ${fault}\n`);
    }
    broken ||= faults.length > 0;
  }
}
Deno.exit(broken ? 1 : 0);
