// `deno task attack`: what somebody who means harm would try, against a whole stack on loopback; says what held.

import { print } from "../../consumer/cli/terminal.ts";
import { flagsOrExit } from "../../shared/process/main.ts";
import { startStubLlm } from "../support/workers/stub_llm.ts";
import { runStart } from "../support/processes/embedded_start.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";
import { ADMIN_ATTACKS } from "./admin_attacks.ts";
import { type Attack, classify, type Target, TOKENS } from "./attack.ts";
import { INGRESS_ATTACKS } from "./ingress_attacks.ts";
import { MUTATED_ATTACKS } from "./mutated_attacks.ts";

const USAGE = `Attacks a stack of its own on loopback and says what held. Exit code 1 where something did not.

  deno task attack [--json]
`;
const UP_LIMIT_MS = 150_000;

/** What came of an attack. */
interface Result {
  readonly name: string;
  readonly held: boolean;
  readonly why?: string;
  readonly ms: number;
}

async function tryOne({ name, run }: Attack, target: Target): Promise<Result> {
  const startedMs = performance.now();
  const outcome = await run(target).then(
    () => ({ held: true }),
    (error: Error) => ({ held: false, why: error.message }),
  );
  return { name, ...outcome, ms: Math.round(performance.now() - startedMs) };
}

async function attackAll(onResult: (result: Result) => void): Promise<boolean> {
  await using home = await TemporaryFolder.make("ackpool-attack-");
  const llm = startStubLlm();
  const start = runStart(home.path, {
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_TOKEN: TOKENS.delivery,
    INGRESS_TOKEN: `classify:${TOKENS.asks},read+override:${TOKENS.decides}`,
    ADMIN_TOKEN: TOKENS.admin,
    WORKER_MIN: "2",
    LOG_LEVEL: "error",
  });
  await using child = start.child;
  const target: Target = { ingress: start.ingress, admin: start.admin, llmCalls: llm.calls };
  try {
    await until(
      "the first answer",
      () => classify(target).then(({ status }) => status === 200, () => false),
      { timeoutMs: UP_LIMIT_MS },
    );
    const results: Result[] = [];
    for (const attack of [...INGRESS_ATTACKS, ...ADMIN_ATTACKS, ...MUTATED_ATTACKS]) {
      const result = await tryOne(attack, target);
      results.push(result);
      onResult(result);
    }
    await child.end("SIGINT");
    return results.every(({ held }) => held);
  } finally {
    await llm.stop();
  }
}

const { json } =
  flagsOrExit({ task: "attack", usage: USAGE }, { args: Deno.args, options: { json: { type: "boolean" } } })
    .values;
const held = await attackAll((result) => print(json ? JSON.stringify(result) : textOf(result)));
Deno.exit(held ? 0 : 1);

function textOf({ held, name, why, ms }: Result): string {
  return `${held ? "held  " : "BROKEN"} ${name} (${ms} ms)${why === undefined ? "" : `: ${why}`}`;
}
