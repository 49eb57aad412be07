// `deno task start`: runs everything on this machine until Ctrl-C; what the user does not have is embedded.

import { resolve } from "node:path";
import process from "node:process";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { ChildFailedError } from "./processes/child.ts";
import { feedSamples } from "./produce/feed_samples.ts";
import { currentLabelVersion } from "./produce/label_version.ts";
import { TicketRows } from "./produce/ticket_rows.ts";
import { whenNpxEnds } from "./processes/npx_watch.mjs";
import { isTaken } from "./processes/ports.ts";
import { homeFolder } from "./project.ts";
import { failureText, Reporter } from "./start/reporter.ts";
import { readRun, removeRun, writeRun } from "../shared/run_file.ts";
import { number, row, standardTerminal, type Terminal } from "./terminal.ts";
import { STATEMENT_LIMIT_MS } from "./start/statement_limit.ts";
import { Stack, type StackAddresses } from "./start/stack.ts";
import { parseStartArguments, START, type StartArguments } from "./start/arguments.ts";
import { readStartConfig, type StartConfig } from "./start/config.ts";

const env = (name: string) => Deno.env.get(name);
const nowMs = () => performance.now();

/** Variables that say nothing to `start`, and why. */
const NOT_USED = [
  ["WORKER_URL", "start has its own replicas"],
  ["WORKER_DNS_SERVER", "start has its own replicas"],
  ["LOG_LEVEL", "start shows labels and warnings, with --verbose every line"],
  ["LOG_FORMAT", "start reads its processes' logs and shows them in its own way"],
] as const;

/** Variables that name files. */
const FILES = ["TAXONOMY_FILE", "KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY"];

async function main(): Promise<number> {
  const args = parseStartArguments(Deno.args);
  // The children run in the project's folder, not where this was typed.
  for (const name of FILES) {
    const file = env(name)?.trim();
    if (file) Deno.env.set(name, resolve(file));
  }
  using screen = standardTerminal();
  // kafkajs makes Node.js warn about a negative timer, which means nothing to anybody.
  process.removeAllListeners("warning");
  const home = homeFolder(args.home, Deno.cwd());
  const config = readStartConfig(env);
  // What the workers would refuse is refused before anything is up.
  await currentLabelVersion(env);
  await refuseWhatIsTaken(home, config);
  return await new Start(args, config, home, screen).run();
}

/** One run from the first process to the end of the last. */
class Start {
  readonly #samples: boolean;
  readonly #config: StartConfig;
  readonly #home: string;
  readonly #screen: Terminal;
  readonly #reporter: Reporter;
  readonly #stack: Stack;
  #rows: TicketRows | undefined;
  /** Samples that were sent; undefined where the tickets are people's own. */
  #fed: number | undefined;
  /** Why it ends: undefined for a clean stop. */
  readonly #end = Promise.withResolvers<string | undefined>();

  constructor(args: StartArguments, config: StartConfig, home: string, screen: Terminal) {
    this.#samples = args.samples;
    this.#config = config;
    this.#home = home;
    this.#screen = screen;
    this.#reporter = new Reporter(screen, args.verbose, nowMs);
    this.#stack = new Stack(config, home, {
      onLine: (name, line) => this.#reporter.onLine(name, line),
      onGoing: (name, what) => screen.going(name, what),
      onReady: (name, where) => screen.done(name, where),
      onScale: (before, wanted, why) => this.#reporter.scaled(before, wanted, why),
      onUp: (number, tookMs, group) => this.#reporter.replicaUp(number, tookMs, group),
      onCrash: (name, why, pauseMs) => this.#reporter.crashed(name, why, pauseMs),
      onStored: (addresses) => this.#feed(addresses),
      onStatementLimit: (limitMs) => screen.line(statementLimitText(limitMs)),
      onBacklog: (records) => this.#reporter.backlog(records),
      onEnd: this.#end.resolve,
    });
  }

  async run(): Promise<number> {
    whenNpxEnds(() => this.#end.resolve(undefined));
    const onTerminal = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
    // SIGHUP: the terminal was closed; what nohup started has none.
    const signals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", ...(onTerminal ? ["SIGHUP" as const] : [])];
    onStopSignal(() => this.#end.resolve(undefined), {
      signals,
      sentTwice: signals,
      second: () => {
        this.#stack.kill();
        Deno.exit(EXIT.interrupted);
      },
    });
    this.#up().catch((error) => this.#end.resolve(whyNot(error)));
    const why = await this.#end.promise;
    this.#reporter.mute();
    for (const name of ["packages", "kafka", "postgres", "model", "workers", "labels"]) {
      this.#screen.done(name);
    }
    if (why !== undefined) this.#screen.line(why);
    this.#screen.going("stopping", "in order");
    const [open, labels] = [await this.#openTickets(), this.#reporter.labels];
    await this.#stack.stop();
    await this.#reporter.flush();
    await this.#rows?.close();
    await removeRun(this.#home);
    this.#screen.done("stopping");
    this.#screen.line(`Stopped. ${count(this.#reporter.labels, "label")} written.`);
    const left = open - (this.#reporter.labels - labels);
    if (left > 0) this.#screen.line(leftText(left, this.#config));
    return why === undefined ? EXIT.ok : EXIT.failed;
  }

  /** Records that are not settled; with our own table also rows whose records the consumer does not know yet. */
  async #openTickets(): Promise<number> {
    const backlog = await this.#stack.backlog() ?? 0;
    if (this.#config.databaseUrl !== undefined) return backlog;
    const rows = await this.#rows?.countUnlabelled(undefined).catch(() => 0) ?? 0;
    return Math.max(backlog, rows);
  }

  async #up(): Promise<void> {
    this.#screen.line("Ackpool starts:");
    for (const [name, why] of NOT_USED) {
      if (Deno.env.get(name)) this.#screen.line(`! ${name} is not used here: ${why}.`);
    }
    const addresses = await this.#stack.start();
    const { brokers, databaseUrl, modelUrl } = addresses;
    await writeRun(this.#home, {
      pid: Deno.pid,
      ...(this.#config.brokers === undefined ? { brokers } : {}),
      ...(this.#config.databaseUrl === undefined ? { databaseUrl } : {}),
      topic: this.#config.topic,
      ...this.#config.named,
      groupId: this.#config.groupId,
      ingressPort: addresses.ingressPort,
      adminPort: addresses.adminPort,
    });
    if (modelUrl === undefined) this.#screen.line("  llm        yours, by OPENAI_API_KEY or OPENAI_BASE_URL");
    await this.#tell(addresses);
  }

  /** Samples are for what is ours alone: nothing made up goes to the user's own topic or table unasked. */
  async #feed({ brokers, databaseUrl }: Pick<StackAddresses, "brokers" | "databaseUrl">): Promise<void> {
    const { brokers: ownBrokers, databaseUrl: ownDatabase, topic } = this.#config;
    const rows = this.#rows = TicketRows.at(databaseUrl, env);
    this.#reporter.showSubjects((ids) => rows.subjects(ids));
    if (ownBrokers !== undefined || ownDatabase !== undefined) return;
    if (!this.#samples && !await rows.isEmpty()) return;
    this.#fed = await feedSamples({ brokers, topic, databaseUrl, env });
  }

  async #tell(addresses: StackAddresses): Promise<void> {
    const { brokers, databaseUrl, topic } = this.#config;
    this.#screen.line("");
    this.#screen.line("Everything is up. Ctrl-C stops it.");
    for (const [name, text] of hints(addresses, databaseUrl !== undefined)) {
      this.#screen.line(row(name, text));
    }
    this.#screen.line("");
    if (this.#fed !== undefined) {
      this.#screen.line(`${this.#fed} sample tickets are in ${topic}:`);
      return;
    }
    const ownAlone = brokers === undefined && databaseUrl === undefined;
    const unlabelled = ownAlone ? await this.#rows?.countUnlabelled(undefined) ?? 0 : 0;
    if (unlabelled > 0) {
      this.#screen.line(`${count(unlabelled, "ticket")} without a label: deno task produce --unlabelled`);
    }
    const again = ownAlone ? " (--samples sends the samples again)" : "";
    this.#screen.line(`Waiting for tickets in ${topic}${again}.`);
  }
}

async function refuseWhatIsTaken(home: string, { host, port, adminPort }: StartConfig): Promise<void> {
  const run = await readRun(home);
  if (run !== undefined) {
    throw new StartError(
      `deno task start runs here already (process ${run.pid}, http://localhost:${run.ingressPort}). Stop it first.`,
    );
  }
  for (const [name, value] of [["PORT", port], ["ADMIN_PORT", adminPort]] as const) {
    if (isTaken(value, host)) {
      throw new StartError(
        `Port ${value} is in use. Stop what listens there, or set ${name} to another port.`,
      );
    }
  }
}

function whyNot(error: unknown): string {
  if (error instanceof ChildFailedError) return `! ${error.child}: ${failureText(error)}`;
  if (error instanceof StartError) return `! ${error.message}`;
  return `! ${error instanceof Error ? error.stack : error}`;
}

/** The embedded Postgres does one thing at a time. */
const LIMITED = `it does one thing at a time: your statements have ${
  STATEMENT_LIMIT_MS / 1000
} s; DATABASE_URL: your own`;

/** What one can do now. */
function hints(
  { ingressUrl, databaseUrl, modelUrl }: StackAddresses,
  own: boolean,
): readonly (readonly [string, string])[] {
  const token = env("WORKER_TOKEN") ? ` -H "authorization: Bearer $WORKER_TOKEN"` : "";
  const ticket = `'{"subject":"Charged twice","body":"My card was charged twice."}'`;
  const json = "-H 'content-type: application/json'";
  const { username, host, pathname } = new URL(databaseUrl);
  return [
    ["look", `${ingressUrl}/  all calls: /docs, uncertain labels: /review`],
    ["try", `curl -d ${ticket} ${json}${token} ${ingressUrl}/classify`],
    ["tickets", "deno task produce FILE --insert   your own: CSV, JSON or JSON Lines"],
    ["labels", `psql postgres://${username}@${host}${pathname}   tables tickets and ackpool.history`],
    ...(own ? [] : [["", LIMITED] as const]),
    ["", `PUT ${ingressUrl}/tickets/ID/label   a person's decision`],
    ["", `TAXONOMY_FILE   other labels${modelUrl === undefined ? "" : "; OPENAI_API_KEY   another model"}`],
    ["operate", "deno task lag, deno task dlq list, deno task eval"],
  ];
}

/** PGlite runs one statement at a time, and cannot be told to stop. */
function statementLimitText(limitMs: number): string {
  return `! postgres: a statement of yours took longer than ${
    limitMs / 1000
  } s and is ended, all else waits for it; ` +
    "start with DATABASE_URL has no such limit";
}

/** What was not done, and how it will be. */
function leftText(left: number, { brokers, topic }: StartConfig): string {
  const what = `${count(left, "ticket")} ${left === 1 ? "has" : "have"} no label yet`;
  return brokers === undefined
    ? `${what}. The embedded Kafka is gone; after the next start: deno task produce --unlabelled`
    : `${what}: they stay in ${topic}, and the next start goes on with them.`;
}

const count = (value: number, what: string) => `${number(value)} ${what}${value === 1 ? "" : "s"}`;

if (import.meta.main) await runMain(main, START);
