// Everything `start` runs, brought up in order and stopped in the opposite one.

import { StartError } from "../shared/process.ts";
import { Child, type ChildCommand, type ChildFailedError } from "./child.ts";
import type { ChildLine } from "./child_line.ts";
import { startEmbeddedKafka } from "./embedded_kafka.ts";
import { freePorts } from "./free_ports.ts";
import { KeptRunning } from "./kept_running.ts";
import * as parts from "./parts.ts";
import { anyReachable } from "./reachable.ts";
import type { StartConfig } from "./start_config.ts";
import { Supervisor } from "./supervisor.ts";

/** Replicas that run from the beginning to the end; scaling them with the backlog is not there yet. */
const REPLICAS = 2;
/** How long an embedded part may take to stop. */
const EMBEDDED_GRACE_MS = 5_000;
/** What a production part needs on top of its own grace. */
const MARGIN_MS = 5_000;

/** What the stack tells. */
export interface StackListener {
  readonly onLine: (name: string, line: ChildLine) => void;
  readonly onGoing: (name: string, what: string) => void;
  readonly onUp: (name: string, where: string) => void;
  /** A part failed and is started again after a pause. */
  readonly onCrash: (name: string, why: ChildFailedError, pauseMs: number) => void;
  /** Nothing can go on; `why` is undefined where a part has simply done its work. */
  readonly onEnd: (why: string | undefined) => void;
}

/** Where everything is. */
export interface StackAddresses extends parts.Addresses {
  readonly ingressPort: number;
  readonly adminPort: number;
}

/** What is stopped together; later stages serve the earlier ones. */
const STAGES = ["front", "workers", "model", "kafka", "postgres"] as const;
type Stage = (typeof STAGES)[number];

interface Stoppable {
  readonly stop: (graceMs: number) => Promise<void>;
  readonly kill: () => void;
}

/** See the file's first line. */
export class Stack {
  readonly #config: StartConfig;
  readonly #home: string;
  readonly #listener: StackListener;
  readonly #running = new Map<Stage, Stoppable[]>(STAGES.map((stage) => [stage, []]));
  #stopping = false;

  constructor(config: StartConfig, home: string, listener: StackListener) {
    this.#config = config;
    this.#home = home;
    this.#listener = listener;
  }

  /**
   * Brings everything up.
   *
   * @throws {ChildFailedError | StartError} when a part does not come up; what runs then is stopped by `stop()`.
   */
  async start(): Promise<StackAddresses> {
    const [postgresPort = 0, modelPort = 0, ...workerPorts] = freePorts(2 + REPLICAS);
    await this.#install();
    const [brokers, databaseUrl, modelUrl] = await Promise.all([
      this.#kafka(),
      this.#postgres(postgresPort),
      this.#config.localModel ? this.#model(modelPort) : undefined,
    ]);
    const workers = workerPorts.map((port) => `http://127.0.0.1:${port}`);
    const addresses = { brokers, databaseUrl, modelUrl, workers };
    await this.#workers(workerPorts, addresses);
    const [adminPort, ingressPort] = await Promise.all([
      this.#keep("front", parts.consumerCommand(addresses)),
      this.#keep("front", parts.ingressCommand(addresses)),
    ]);
    this.#listener.onUp("consumer", `http://localhost:${adminPort}/readyz, /metrics`);
    this.#listener.onUp("ingress", `http://localhost:${ingressPort}/classify`);
    return { ...addresses, adminPort, ingressPort };
  }

  /** Stops in order: no new work, then the workers, then what they stand on. May be called at any time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const stage of STAGES) {
      const own = stage === "front" || stage === "workers";
      const graceMs = own ? this.#config.shutdownGraceMs + MARGIN_MS : EMBEDDED_GRACE_MS;
      await Promise.all(this.#running.get(stage)?.map((part) => part.stop(graceMs)) ?? []);
    }
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const running of this.#running.values()) running.forEach((part) => part.kill());
  }

  /** Packages that only some part needs; a blink where they are there. */
  async #install(): Promise<void> {
    let downloads = 0;
    const child = this.#spawn("front", { name: "packages", args: ["install"], env: {} }, (line) => {
      if (line.kind === "text" && line.text.includes("Download")) {
        this.#listener.onGoing("packages", `${++downloads} downloaded`);
      }
    });
    const status = await child.ended;
    if (!status.success) throw child.failure(status);
    if (downloads > 0) this.#listener.onUp("packages", `${downloads} downloaded`);
  }

  async #kafka(): Promise<string> {
    const { brokers: own, topics } = this.#config;
    this.#listener.onGoing("kafka", own === undefined ? "starting" : "looking for your brokers");
    if (own !== undefined) {
      if (!(await anyReachable(own))) {
        throw new StartError(
          `No Kafka answers at ${
            own.join(", ")
          }. Start it, correct KAFKA_BROKERS, or unset it for the embedded one.`,
        );
      }
      this.#listener.onUp("kafka", `yours: ${own.join(", ")}`);
      return own.join(",");
    }
    this.#refuseWhenStopping();
    const { brokers, child } = await startEmbeddedKafka(topics, {
      onSpawn: (child) => this.#running.get("kafka")?.push(child),
      onLine: (line) => this.#listener.onLine("kafka", line),
    });
    // Its records are gone with it, so starting it again would be no help.
    child.ended.then((status) => {
      if (!this.#stopping) this.#listener.onEnd(`The embedded Kafka ended with code ${status.code}.`);
    });
    this.#listener.onUp("kafka", `embedded, in memory: ${brokers}`);
    return brokers;
  }

  async #postgres(port: number): Promise<string> {
    const { databaseUrl: own } = this.#config;
    this.#listener.onGoing("postgres", own === undefined ? "starting" : "migrating yours");
    const folder = `${this.#home}/postgres`;
    if (own === undefined) await this.#keep("postgres", parts.postgresCommand(folder, port));
    const url = own ?? `postgres://postgres@127.0.0.1:${port}/postgres`;
    const migration = this.#spawn("model", parts.migrateCommand(url));
    const status = await migration.ended;
    if (!status.success) throw migration.failure(status);
    const { host, pathname } = new URL(url);
    this.#listener.onUp(
      "postgres",
      own === undefined ? `embedded, in ${folder}: ${url}` : `yours: ${host}${pathname}`,
    );
    return url;
  }

  async #model(port: number): Promise<string> {
    this.#listener.onGoing("model", "starting");
    await this.#keep("model", parts.modelCommand(port));
    const url = `http://127.0.0.1:${port}/v1`;
    this.#listener.onUp("model", `embedded: ${url}`);
    return url;
  }

  async #workers(ports: readonly number[], addresses: parts.Addresses): Promise<void> {
    this.#listener.onGoing("workers", "starting");
    const supervisor = new Supervisor(
      ports,
      ({ number, port }) => this.#kept(parts.workerCommand(number, port, addresses)),
    );
    this.#running.get("workers")?.push({
      stop: (graceMs) => supervisor.stopAll(graceMs),
      kill: () => supervisor.killAll(),
    });
    await Promise.all(supervisor.places.map(({ number }) => supervisor.start(number)));
    const urls = supervisor.places.map(({ url }) => url).join(", ");
    this.#listener.onUp("workers", `${supervisor.running.length} replicas: ${urls}`);
  }

  /** Keeps a part running from now on. Resolves with its port once it is up. */
  async #keep(stage: Stage, command: ChildCommand): Promise<number> {
    const port = Promise.withResolvers<number>();
    const kept = this.#kept(command, port.resolve);
    this.#running.get(stage)?.push(kept);
    await kept.start();
    return await port.promise;
  }

  #kept(command: ChildCommand, onPort: (port: number) => void = () => {}): KeptRunning<Child> {
    this.#refuseWhenStopping();
    const { name } = command;
    return new KeptRunning<Child>({
      spawn: () => new Child(command, (line) => this.#listener.onLine(name, line)),
      ready: async (child) => onPort(await child.waitFor(parts.listeningPort)),
      onCrash: (why, pauseMs) => this.#listener.onCrash(name, why, pauseMs),
      onDone: () => this.#listener.onEnd(undefined),
      nowMs: () => performance.now(),
      sleep,
    });
  }

  /** A child that does one thing and ends. */
  #spawn(stage: Stage, command: ChildCommand, onLine: (line: ChildLine) => void = () => {}): Child {
    this.#refuseWhenStopping();
    const child = new Child(command, (line) => {
      onLine(line);
      this.#listener.onLine(command.name, line);
    });
    this.#running.get(stage)?.push(child);
    return child;
  }

  #refuseWhenStopping(): void {
    if (this.#stopping) throw new StartError("Stopped before everything was up.");
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
