// Everything `start` runs, started in the order in which one part needs another.

import { describeTarget, parseConnectionString } from "../../shared/postgres/connection_string.ts";
import { EXIT } from "../../shared/process/exit_codes.ts";
import { StartError } from "../../shared/process/start_error.ts";
import type { ChildFailedError } from "../processes/child.ts";
import { startEmbeddedKafka } from "../embedded/kafka/launch.ts";
import { anyReachable, keptPorts } from "../processes/ports.ts";
import * as parts from "./commands.ts";
import { Processes, type ProcessesListener, type Stage } from "./processes.ts";
import { failureText } from "./reporter.ts";
import { type ScalingListener, ScalingLoop } from "./replicas/scaling_loop.ts";
import type { StartConfig } from "./config.ts";
import { STATEMENT_LIMIT_MS, StatementLimit } from "./statement_limit.ts";
import { readDemand } from "./replicas/demand.ts";

/** How long an embedded part may take to stop. */
const EMBEDDED_GRACE_MS = 5_000;
/** What a production part needs on top of its own grace. */
const MARGIN_MS = 5_000;

/** Called while the stack comes up, runs and ends. */
export interface StackListener extends Omit<ProcessesListener, "onDone">, Omit<ScalingListener, "onCrash"> {
  readonly onGoing: (name: string, what: string) => void;
  readonly onReady: (name: string, where: string) => void;
  /** Topic and tables are there, while the rest still starts: what is put in now is waited for. */
  readonly onStored: (addresses: Pick<parts.Addresses, "brokers" | "databaseUrl">) => Promise<void>;
  /** A statement of somebody's took so long that the embedded Postgres is started again. */
  readonly onStatementLimit: (limitMs: number) => void;
  /** So many records are not settled. */
  readonly onBacklog: (records: number) => void;
  /** Nothing can go on; `why` is undefined where a part has finished its work. */
  readonly onEnd: (why: string | undefined) => void;
}

/** Where everything is. */
export interface StackAddresses extends parts.Addresses {
  readonly ingressPort: number;
  readonly ingressUrl: string;
  readonly adminPort: number;
}

/** Everything `start` runs, started in the order in which one part needs another. */
export class Stack {
  readonly #config: StartConfig;
  readonly #home: string;
  readonly #listener: StackListener;
  readonly #processes: Processes;
  readonly #statements = new StatementLimit({
    later: (ms, callBack) => {
      const timer = setTimeout(callBack, ms);
      return () => clearTimeout(timer);
    },
    restart: () => {
      this.#listener.onStatementLimit(STATEMENT_LIMIT_MS);
      this.#processes.restart("postgres");
    },
  });
  #scaling: ScalingLoop | undefined;
  #backlog: () => Promise<number | undefined> = () => Promise.resolve(undefined);

  constructor(config: StartConfig, home: string, listener: StackListener) {
    this.#config = config;
    this.#home = home;
    this.#listener = listener;
    this.#processes = new Processes({
      ...listener,
      onDone: () => listener.onEnd(undefined),
      onLine: (name, line) => {
        if (name === "postgres") this.#statements.onLine(line);
        if (parts.isWork(name, line)) this.#scaling?.worked();
        listener.onLine(name, line);
      },
    });
  }

  /**
   * Brings everything up.
   *
   * @throws {ChildFailedError | StartError} when a part does not come up; what runs then is stopped by `stop()`.
   */
  async start(): Promise<StackAddresses> {
    const [postgresPort = 0, modelPort = 0] = await keptPorts(`${this.#home}/ports.json`, 2);
    await this.#install();
    const { host, localModel } = this.#config;
    const databaseUrl = this.#config.databaseUrl ?? `postgres://postgres@127.0.0.1:${postgresPort}/postgres`;
    const modelUrl = localModel ? `http://127.0.0.1:${modelPort}/v1` : undefined;
    const scaling = await this.#replicas({ databaseUrl, modelUrl });
    const { dnsServer } = scaling;
    // Nothing waits for what it does not need: each part takes a second of a processor or two.
    const kafka = this.#config.brokers === undefined ? this.#kafka() : this.#ownKafka(this.#config.brokers);
    const consumer = kafka.then((brokers) =>
      this.#processes.keep("front", parts.consumerCommand({ brokers, host, dnsServer }))
    );
    const stored = Promise.all([kafka, this.#postgres(databaseUrl, postgresPort)])
      .then(([brokers]) => this.#listener.onStored({ brokers, databaseUrl }));
    const [brokers, adminPort, ingressPort] = await Promise.all([
      kafka,
      consumer,
      this.#processes.keep("front", parts.ingressCommand({ host, dnsServer })),
      stored,
      localModel ? this.#model(modelPort) : undefined,
    ]);
    this.#listener.onReady(
      "workers",
      `${this.#config.bounds.min} to ${this.#config.bounds.max}, as the backlog asks`,
    );
    const reached = `http://${parts.reachedAt(host)}`;
    const [adminUrl, ingressUrl] = [`${reached}:${adminPort}`, `${reached}:${ingressPort}`];
    this.#listener.onReady("consumer", `${adminUrl}/`);
    this.#listener.onReady("ingress", `${ingressUrl}/`);
    const read = () => readDemand(adminUrl, ingressUrl);
    this.#backlog = async () => (await read()).records?.backlog;
    const follow = async () => {
      const demand = await read();
      if (demand.records !== undefined) this.#listener.onBacklog(demand.records.backlog);
      return demand;
    };
    scaling.follow(follow).catch((error) => this.#listener.onEnd(`! scaling: ${error}`));
    return { brokers, databaseUrl, modelUrl, host, dnsServer, adminPort, ingressPort, ingressUrl };
  }

  /** Records that are not settled; undefined where the consumer does not say. */
  async backlog(): Promise<number | undefined> {
    return await this.#backlog();
  }

  /** Stops in order: no new work, then the workers, then what they stand on. May be called at any time. */
  async stop(): Promise<void> {
    this.#scaling?.hold();
    this.#statements.clear();
    const ownGraceMs = this.#config.shutdownGraceMs + MARGIN_MS;
    const production: readonly Stage[] = ["front", "workers"];
    await this.#processes.stop((stage) => production.includes(stage) ? ownGraceMs : EMBEDDED_GRACE_MS);
  }

  /** Ends everything at once. */
  kill(): void {
    this.#processes.kill();
  }

  /** Installs packages that only some part needs; quick where they are there. */
  async #install(): Promise<void> {
    const cached = { name: "packages", args: ["install", "--cached-only"], env: {} };
    if (await this.#processes.runOnce("front", cached).then(() => true, () => false)) return;
    let downloads = 0;
    await this.#processes.runOnce("front", { name: "packages", args: ["install"], env: {} }, (line) => {
      if (line.kind === "text" && line.text.includes("Download")) {
        this.#listener.onGoing("packages", `${++downloads} downloaded`);
      }
    });
    if (downloads > 0) this.#listener.onReady("packages", `${downloads} downloaded`);
  }

  async #kafka(): Promise<string> {
    this.#listener.onGoing("kafka", "starting");
    this.#processes.refuseWhenStopping();
    const { brokers, child } = await startEmbeddedKafka(this.#config.topics, {
      onSpawn: (child) => this.#processes.add("kafka", child),
      onLine: (line) => this.#listener.onLine("kafka", line),
    });
    // Its records are lost with it, so starting it again would not help.
    child.ended.then(({ code }) => {
      if (!this.#processes.stopping) {
        this.#listener.onEnd(`! kafka: ended with code ${code}, and its records with it`);
      }
    });
    this.#listener.onReady("kafka", `embedded, in memory: ${brokers}`);
    return brokers;
  }

  async #ownKafka(brokers: readonly string[]): Promise<string> {
    this.#listener.onGoing("kafka", "looking for your brokers");
    const where = brokers.join(", ");
    if (!(await anyReachable(brokers))) {
      throw new StartError(
        `No Kafka answers at ${where}. Start it, correct KAFKA_BROKERS, or unset it for the embedded one.`,
      );
    }
    this.#listener.onReady("kafka", `yours: ${where}`);
    return brokers.join(",");
  }

  async #postgres(url: string, port: number): Promise<void> {
    const { databaseUrl: own } = this.#config;
    this.#listener.onGoing("postgres", own === undefined ? "starting" : "migrating yours");
    const folder = `${this.#home}/postgres`;
    if (own === undefined) await this.#processes.keep("postgres", parts.postgresCommand(folder, port));
    await this.#processes.runOnce("model", parts.migrateCommand(url, own === undefined));
    this.#listener.onReady(
      "postgres",
      own === undefined
        ? `embedded, in ${folder}: ${url}`
        : `yours: ${describeTarget(parseConnectionString(url))}`,
    );
  }

  async #model(port: number): Promise<void> {
    this.#listener.onGoing("model", "starting");
    await this.#processes.keep("model", parts.modelCommand(port));
    this.#listener.onReady("model", `embedded: http://127.0.0.1:${port}/v1`);
  }

  async #replicas(addresses: Pick<parts.Addresses, "databaseUrl" | "modelUrl">): Promise<ScalingLoop> {
    this.#processes.refuseWhenStopping();
    const { bounds, shutdownGraceMs } = this.#config;
    const scaling = await ScalingLoop.make({
      bounds,
      graceMs: shutdownGraceMs + MARGIN_MS,
      spawn: (number) => {
        const child = this.#processes.spawn(parts.workerCommand(number, addresses));
        return Object.assign(child, { listening: child.waitFor(parts.listeningPort) });
      },
      listener: {
        ...this.#listener,
        onCrash: (why, pauseMs, listened) => this.#replicaCrashed(why, pauseMs, listened),
      },
    });
    this.#processes.add("workers", { stop: () => scaling.stop(), kill: () => scaling.kill() });
    return this.#scaling = scaling;
  }

  #replicaCrashed(why: ChildFailedError, pauseMs: number, listened: boolean): void {
    // A later start would find the same environment.
    if (!listened && why.code === EXIT.config) this.#listener.onEnd(`! ${why.child}: ${failureText(why)}`);
    else this.#listener.onCrash(why.child, why, pauseMs);
  }
}
