// The scale campaign: a real `deno task start` idle at zero replicas, a burst of tickets, and a look at it every second.

import postgres from "postgres";
import { createKafka } from "../../../consumer/kafka/client/client.ts";
import { TopicProducer } from "../../../consumer/kafka/producers/topic_producer.ts";
import { readRun, type Run } from "../../../shared/run_file.ts";
import { TicketRows } from "../../../local/produce/ticket_rows.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import { runStart, type StartedStart } from "../../support/processes/embedded_start.ts";
import { startStubLlm } from "../../support/workers/stub_llm.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { until } from "../../support/until.ts";
import type { Findings } from "../stage/report.ts";
import { scaleFindings, type ScaleLoad, type ScaleSample } from "./findings.ts";

const LABEL = /^ticket \S+ → [a-z_]+\b/;
const SCALED = /^replicas \d+ → (\d+) \(.*\)$/;
const FIRST_UP = /^replica \d+ up after ([\d.]+) s$/;
const UP_LIMIT_MS = 300_000;
const SAMPLE_EVERY_MS = 1000;
/** Rows a statement. */
const CHUNK = 500;

/** Runs it. */
export async function runScaleCampaign(
  { report, ...load }: ScaleLoad & { readonly report: (what: string) => void },
): Promise<Findings> {
  const llm = startStubLlm({ latencyMs: load.sleepMs });
  await using home = await TemporaryFolder.make("ackpool-scale-");
  const start = runStart(home.path, {
    OPENAI_BASE_URL: llm.baseUrl,
    OPENAI_API_KEY: "stub",
    TARGET_DRAIN_SECONDS: String(load.drainSeconds),
    WORKER_IDLE_MS: String(load.idleMs),
  });
  await using child = start.child;
  try {
    report("starting, and waiting for the samples to be over and no replica to be left");
    await child.waitForLine(({ text }) => text.startsWith("20 sample tickets"), UP_LIMIT_MS);
    const stage = new Stage(start, await readRun(home.path) ?? fail("start left no run.json"));
    await stage.idle(20);
    report(`${load.tickets} tickets`);
    const callsBefore = llm.calls();
    const burst = await stage.burst(load.tickets, report);
    const after = {
      llmCalls: llm.calls() - callsBefore,
      lines: child.lines.slice(burst.fromLine).map(textOf),
    };
    const findings = scaleFindings(load, {
      ...burst,
      llmCalls: after.llmCalls,
      lines: after.lines.filter((text) => !LABEL.test(text)),
    });
    report("stopping");
    await child.end("SIGINT");
    return findings;
  } finally {
    await llm.stop();
  }
}

/** A `start` that runs, and what can be seen of it. */
class Stage {
  readonly #start: StartedStart;
  readonly #run: Run;
  #fromMs = 0;

  constructor(start: StartedStart, run: Run) {
    this.#start = start;
    this.#run = run;
  }

  /** Resolves when so many labels are written and no replica is left. */
  async idle(labels: number): Promise<void> {
    const isOver = () => this.#labels(0).length >= labels && this.#wanted() === 0 && this.#processes() === 0;
    await until(`${labels} labels and no replica`, isOver, { timeoutMs: UP_LIMIT_MS, everyMs: 250 });
  }

  /** Sends a burst and watches it until no replica is left. */
  async burst(tickets: number, report: (what: string) => void) {
    const { lines } = this.#start.child;
    const fromLine = lines.length;
    const before = await this.#attempts();
    const send = await this.#prepare(tickets);
    const samples = [await this.#sample(fromLine)];
    this.#fromMs = Date.now();
    let over = false;
    const sampling = (async () => {
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
        const sample = await this.#sample(fromLine);
        samples.push(sample);
        if (samples.length % 10 === 0) report(`${sample.settled} settled, ${sample.replicas} replicas`);
      }
    })();
    await send();
    await until("all labels", () => this.#labels(fromLine).length >= tickets, { timeoutMs: UP_LIMIT_MS });
    const labels = this.#labels(fromLine);
    report("all are labelled; waiting for no replica to be left");
    await this.idle(20);
    over = true;
    await sampling;
    const firstUp = lines.slice(fromLine).map(({ text }) => FIRST_UP.exec(text)?.[1]).find(Boolean);
    return {
      fromLine,
      samples,
      processStartMs: Number(firstUp) * 1000,
      firstLabelMs: (labels[0]?.atMs ?? NaN) - this.#fromMs,
      allLabelledMs: (labels[tickets - 1]?.atMs ?? NaN) - this.#fromMs,
      unlabelled: await this.#unlabelled(),
      deadLettered: (await this.#metric(/^ackpool_dead_letters_total\{.*\} (\d+)/)).reduce(
        (sum, n) => sum + n,
        0,
      ),
      otherAttempts: difference(await this.#attempts(), before),
    };
  }

  /** Writes the rows; what it resolves with sends the records. */
  async #prepare(count: number): Promise<() => Promise<void>> {
    const { brokers = "", databaseUrl = "", topic } = this.#run;
    const rows = new TicketRows(databaseUrl, DEFAULT_TICKETS_TABLE);
    const firstId = await rows.nextId();
    const tickets = Array.from({ length: count }, (_, at) => ({
      id: firstId + at,
      subject: `Charged twice, case ${at}`,
      body: `My card was charged twice for order ${at}.`,
    }));
    for (let at = 0; at < count; at += CHUNK) await rows.insert(tickets.slice(at, at + CHUNK));
    await rows.close();
    const kafka = createKafka({ brokers: [brokers], clientId: "campaign", tls: undefined, sasl: undefined });
    const producer = new TopicProducer(kafka, topic);
    await producer.connect();
    return async () => {
      await producer.send(
        tickets.map(({ id, ...text }) => ({
          key: String(id),
          value: JSON.stringify({ ticket_id: id, ...text }),
        })),
      );
      await producer.close();
    };
  }

  async #sample(fromLine: number): Promise<ScaleSample> {
    const scale = await (await fetch(`${this.#start.admin}/scale`)).json();
    return {
      atMs: this.#fromMs === 0 ? 0 : Date.now() - this.#fromMs,
      backlog: scale.backlog,
      asked: scale.wantedReplicas,
      wanted: this.#wanted(),
      processes: this.#processes(),
      replicas: scale.replicas,
      busyPermits: scale.busyPermits,
      settled: this.#labels(fromLine).length,
      connections: connectionsTo(Number(new URL(this.#run.databaseUrl ?? "").port)),
    };
  }

  #labels(fromLine: number) {
    return this.#start.child.lines.slice(fromLine).filter(({ text }) => LABEL.test(text));
  }

  /** What `start` said last of the number it wants. */
  #wanted(): number {
    const last = this.#start.child.lines.findLast(({ text }) => SCALED.test(text))?.text ?? "";
    return Number(SCALED.exec(last)?.[1] ?? 0);
  }

  #processes(): number {
    return this.#start.processes().filter(({ command }) => command.includes("worker/main.ts")).length;
  }

  /** Attempts without a 2xx, by outcome. */
  async #attempts(): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    for (const line of await this.#metrics()) {
      const [, outcome = "2", count] = /^ackpool_attempts_total\{outcome="([^"]*)".*\} (\d+)/.exec(line) ??
        [];
      if (!outcome.startsWith("2")) found[outcome] = Number(count);
    }
    return found;
  }

  async #metric(line: RegExp): Promise<number[]> {
    return (await this.#metrics()).flatMap((text) => Number(line.exec(text)?.[1]) || []);
  }

  async #metrics(): Promise<string[]> {
    return (await (await fetch(`${this.#start.admin}/metrics`)).text()).split("\n");
  }

  async #unlabelled(): Promise<number> {
    const sql = postgres(this.#run.databaseUrl ?? "", { max: 1, onnotice: () => {} });
    const [row] = await sql`select count(*)::int as count from tickets where category is null`;
    await sql.end();
    return row?.["count"] ?? NaN;
  }
}

/** Connections to a local port that are open; none where there is no /proc. */
function connectionsTo(port: number): number {
  if (Deno.build.os !== "linux") return 0;
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = ["tcp", "tcp6"].flatMap((table) => Deno.readTextFileSync(`/proc/net/${table}`).split("\n"));
  return lines.filter((line) => {
    const [, , to = "", state] = line.trim().split(/\s+/);
    return to.endsWith(remote) && state === "01";
  }).length;
}

function difference(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const grown = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

const textOf = ({ text }: { readonly text: string }) => text;

function fail(why: string): never {
  throw new Error(why);
}
