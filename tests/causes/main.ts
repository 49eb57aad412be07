// `deno task causes`: plants every trouble for real, and writes down what is said of it, how soon, and how soon no more.

import { print } from "../../consumer/cli/terminal.ts";
import type { WhyJson } from "../../consumer/core/why/why.ts";
import { parseChildLine, readable } from "../../local/processes/child_output.ts";
import { flagsOrExit } from "../../shared/process/main.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { until } from "../support/until.ts";
import { CLUSTER_TROUBLES } from "./cluster/cluster_troubles.ts";
import { ClusterStage } from "./cluster/cluster_stage.ts";
import { causesPage, type Seen } from "./causes_page.ts";
import { Stage } from "./stage.ts";
import type { Trouble, Watched } from "./trouble.ts";
import { TROUBLES } from "./troubles.ts";

const USAGE =
  `Plants troubles in a stack of its own, and writes what the consumer says of each into docs/causes.md.
Exit code 1 where one is not named within 5 s, or still named 5 s after it is over.

  deno task causes [--only TEXT]
    --only TEXT   those whose name matches this pattern; nothing is written then
`;
const PAGE = new URL("../../docs/causes.md", import.meta.url);
const LIMIT_MS = 5000;
const PATIENCE_MS = 40_000;
const LOOK_EVERY_MS = 100;

async function main(only: string): Promise<number> {
  const chosen = <S>(troubles: readonly Trouble<S>[]) =>
    troubles.filter(({ name }) => new RegExp(only).test(name));
  const seen = [
    ...await observeAll(() => Stage.open(), chosen(TROUBLES)),
    ...await observeAll(() => ClusterStage.open(), chosen(CLUSTER_TROUBLES)),
  ];
  if (only === "") await Deno.writeTextFile(PAGE, causesPage(seen));
  const late = seen.filter(({ namedMs, goneMs }) => namedMs > LIMIT_MS || goneMs > LIMIT_MS);
  for (const { trouble } of late) print(`LATE: ${trouble}`);
  return late.length === 0 ? 0 : 1;
}

/** One after the other, on one stage; none is set up for nothing. */
async function observeAll<S extends Watched>(
  open: () => Promise<S>,
  troubles: readonly Trouble<S>[],
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  if (troubles.length === 0) return seen;
  await using stage = await open();
  for (const trouble of troubles) {
    const found = await observe(stage, trouble);
    seen.push(found);
    print(`${found.trouble}: named in ${found.namedMs} ms, gone in ${found.goneMs} ms\n  ${found.why}`);
  }
  return seen;
}

async function observe<S extends Watched>(
  stage: S,
  { name, named, begin, end }: Trouble<S>,
): Promise<Seen> {
  const { consumer } = stage;
  const logged = consumer.child.lines.length;
  const isNamed = (answer: WhyJson) => linesOf(answer).some((line) => named.test(line));
  await begin(stage);
  let startedMs = performance.now();
  let last: WhyJson | undefined;
  const answer = await until(`${name}: a cause`, async () => {
    last = await stage.why();
    return isNamed(last) ? last : undefined;
  }, { timeoutMs: PATIENCE_MS, everyMs: LOOK_EVERY_MS }).catch((error) => {
    throw new Error(`${error.message}; it said ${JSON.stringify(last, null, 2)}`, { cause: error });
  });
  const namedMs = Math.round(performance.now() - startedMs);
  const ready = await consumer.ready();
  const lag = await runCommand("lag", stage.scene, [], { ADMIN_PORT: new URL(consumer.adminUrl).port });
  const line = consumer.child.lines.slice(logged).find(({ fields }) => fields["message"] === "cause");
  await end(stage);
  startedMs = performance.now();
  await until(
    `${name}: its end`,
    async () => !isNamed(await stage.why()) && (await consumer.ready()).status === 200,
    {
      timeoutMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
    },
  );
  return {
    trouble: name,
    namedMs,
    goneMs: Math.round(performance.now() - startedMs),
    why: linesOf(answer).find((each) => named.test(each)) ?? answer.sentence,
    remedy: answer.remedy ?? "",
    readyz: ready.status === 200 ? "200" : `${ready.status} ${ready.causes.join(", ")}`,
    screen: line === undefined ? "" : readable(parseChildLine(line.text)),
    lag: lag.text.split("\n").filter((each) => /^(HEAD|Held)/.test(each)).slice(0, 2).join(" "),
  };
}

/** The cause, and the checks that are in trouble. */
function linesOf({ cause, evidence, checks }: WhyJson): readonly string[] {
  const troubled = checks.filter(({ state }) => state === "trouble");
  return [
    ...(cause === null ? [] : [`${cause}: ${evidence}`]),
    ...troubled.map(({ name, text }) => `${name}: ${text}`),
  ];
}

if (import.meta.main) {
  const program = { task: "causes", usage: USAGE };
  const options = { only: { type: "string", default: "" } } as const;
  const { only } = flagsOrExit(program, { args: Deno.args, options }).values;
  Deno.exit(await main(only));
}
