// What traces cost an attempt in this process, besides all else it costs: `deno run -A tests/bench/consumer/span_cost.ts`.
//
// Side by side: no tracing in the code (absent), OTEL_DENO unset (off), and OTEL_DENO=true with a collector (on).

import type { AttemptRequest } from "../../../shared/pool/exchange/buffered.ts";
import { toRequest } from "../../../consumer/senders/http_request.ts";
import { tracedAttempt } from "../../../consumer/senders/traced_attempt.ts";
import { OtlpCollector } from "../../support/otlp_collector.ts";

const ATTEMPTS = 100_000;
const ROUNDS = 7;
const record = {
  topic: "support-tickets",
  partition: 3,
  offset: 123456,
  timestampMs: 1_700_000_000_123,
  key: null,
  value: new Uint8Array(500),
  headers: {},
};
const answered = Promise.resolve({ outcome: { kind: "answer", status: 200 } as const, headers: {} });
/** Kept, so that no request can be left out. */
let sent: AttemptRequest | undefined;
const send = (request: AttemptRequest) => {
  sent = request;
  return answered;
};
const WAYS = {
  absent: () => send(toRequest(record, undefined, 1, 60_000)),
  traced: () => tracedAttempt(record, 1, toRequest(record, undefined, 1, 60_000), send),
};

/** Nanoseconds an attempt. */
async function cost(attempt: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  for (let at = 0; at < ATTEMPTS; at++) await attempt();
  return Math.round((performance.now() - startMs) * 1e6 / ATTEMPTS);
}

/** The best of each over all rounds, which alternate. */
async function measure(): Promise<Record<keyof typeof WAYS, number>> {
  const best = { absent: Infinity, traced: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    best.absent = Math.min(best.absent, await cost(WAYS.absent));
    best.traced = Math.min(best.traced, await cost(WAYS.traced));
  }
  if (sent === undefined) throw new Error("Nothing was sent");
  return best;
}

if (Deno.args[0] === "measure") {
  // deno-lint-ignore no-console
  console.log(JSON.stringify(await measure()));
} else {
  await using collector = new OtlpCollector();
  for (const [state, env] of Object.entries({ off: {}, on: collector.environment("bench") })) {
    const args = ["run", "-A", new URL(import.meta.url).pathname, "measure"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, env, stderr: "inherit" }).output();
    const { absent, traced } = JSON.parse(new TextDecoder().decode(stdout));
    // deno-lint-ignore no-console
    console.log(
      `${state}: ${traced} ns an attempt; absent ${absent} ns; ratio ${(traced / absent).toFixed(2)}`,
    );
  }
}
