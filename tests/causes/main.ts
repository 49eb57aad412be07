// `deno task causes`: plants every trouble for real, and writes down what is said of it, how soon, and how soon no more.

import { print } from "../../consumer/cli/terminal.ts";
import type { WhyJson } from "../../consumer/core/why/why.ts";
import { parseChildLine, readable } from "../../local/processes/child_output.ts";
import { flagsOrExit } from "../../shared/process/main.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { until } from "../support/until.ts";
import { Stage } from "./stage.ts";
import { type Trouble, TROUBLES } from "./troubles.ts";

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

/** What was said of one trouble. */
interface Seen {
  readonly trouble: string;
  readonly namedMs: number;
  readonly goneMs: number;
  readonly why: string;
  readonly remedy: string;
  readonly readyz: string;
  readonly screen: string;
  readonly lag: string;
}

async function main(only: string): Promise<number> {
  const seen: Seen[] = [];
  await using kafka = await TestKafka.start();
  await using stage = await Stage.open(kafka);
  await stage.start();
  for (const trouble of TROUBLES.filter(({ name }) => new RegExp(only).test(name))) {
    const found = await observe(stage, trouble);
    seen.push(found);
    print(`${found.trouble}: named in ${found.namedMs} ms, gone in ${found.goneMs} ms\n  ${found.why}`);
  }
  if (only === "") await Deno.writeTextFile(PAGE, pageOf(seen));
  const late = seen.filter(({ namedMs, goneMs }) => namedMs > LIMIT_MS || goneMs > LIMIT_MS);
  for (const { trouble } of late) print(`LATE: ${trouble}`);
  return late.length === 0 ? 0 : 1;
}

async function observe(stage: Stage, { name, named, begin, end }: Trouble): Promise<Seen> {
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

function pageOf(seen: readonly Seen[]): string {
  const head = ["trouble", "why", "what to do", "`/readyz`", "on start's screen", "`lag`", "named", "gone"];
  const rows = seen.map(({ trouble, why, remedy, readyz, screen, lag, namedMs, goneMs }) => [
    trouble,
    why,
    remedy,
    readyz,
    screen,
    lag,
    `${(namedMs / 1000).toFixed(1)} s`,
    `${(goneMs / 1000).toFixed(1)} s`,
  ]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    "# What is said of each trouble\n",
    "`deno task causes` plants each of these in a stack of its own and writes this page: what `deno task why`,",
    "`/readyz`, `start`'s screen and `deno task lag` say, word for word, and after how many seconds they begin and",
    "stop to say so.\n",
    line(head),
    line(head.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}

if (import.meta.main) {
  const program = { task: "causes", usage: USAGE };
  const options = { only: { type: "string", default: "" } } as const;
  const { only } = flagsOrExit(program, { args: Deno.args, options }).values;
  Deno.exit(await main(only));
}
