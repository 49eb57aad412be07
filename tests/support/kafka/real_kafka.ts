// RealKafka is a real Kafka 4.1 node for tests: KRaft, on loopback, its data in a folder that goes away with it.

import { type Child, startChild } from "../processes/process.ts";
import { freePorts } from "../ports.ts";
import { installKafka, type KafkaInstallation, type Report } from "../processes/real_install.ts";
import { TemporaryFolder } from "../temporary_folder.ts";
import { until } from "../until.ts";

/** A listener besides the plain one, for SASL and TLS. */
export interface ListenerOptions {
  /** Upper-case letters; its settings go under `listener.name.<name in lower case>.`. */
  readonly name: string;
  readonly protocol: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
  readonly properties?: Readonly<Record<string, string>>;
}

/** How a broker is started. */
export interface KafkaOptions {
  /** Partitions of a topic that is created without a number; 8 by default. */
  readonly partitions?: number;
  readonly listeners?: readonly ListenerOptions[];
  /** Broker settings that add to ours or replace them. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Arguments of `kafka-storage format`, for example `--add-scram`. */
  readonly formatArgs?: readonly string[];
  /** Arguments of the broker's JVM, for example `-D…`. */
  readonly javaArgs?: readonly string[];
  readonly report?: Report;
}

/** A node's place in a cluster of several. */
export interface ClusterNode {
  readonly id: number;
  readonly roles: "broker,controller" | "broker" | "controller";
  readonly clusterId: string;
  /** `id@host:port` of every controller. */
  readonly voters: string;
  /** Its ports, by listener. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A running node. `await using` stops it and removes its data. */
export class RealKafka implements AsyncDisposable {
  #broker: Child | undefined;
  #logLines = "";

  private constructor(
    private readonly temporary: TemporaryFolder,
    readonly installation: KafkaInstallation,
    private readonly node: ClusterNode,
    private readonly javaArgs: readonly string[],
  ) {}

  /** Formats fresh storage and starts a node: alone on free ports, or in its place in a cluster. */
  static async start(options: KafkaOptions = {}, node: ClusterNode = alone(options)): Promise<RealKafka> {
    const installation = await installKafka(options.report ?? (() => {}));
    const temporary = await TemporaryFolder.make("ackpool-kafka-");
    const kafka = new RealKafka(temporary, installation, node, options.javaArgs ?? []);
    try {
      await Deno.writeTextFile(`${kafka.folder}/server.properties`, kafka.#properties(options));
      await kafka.#format(options.formatArgs ?? []);
      await kafka.#startBroker();
      return kafka;
    } catch (error) {
      await kafka[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `host:port` of the plain listener, as `KAFKA_BROKERS` takes it. */
  get brokers(): string {
    return this.brokersOf("PLAINTEXT");
  }

  /** `host:port` of a listener. */
  brokersOf(listener: string): string {
    return `127.0.0.1:${this.node.ports.get(listener)}`;
  }

  /** Its configuration and data. */
  get folder(): string {
    return this.temporary.path;
  }

  /** What the broker has logged so far, over all its restarts. */
  get log(): string {
    return this.#logLines + (this.#broker?.lines ?? []).map((line) => line.text).join("\n");
  }

  /** Ends the broker as `kill -9` does; its data stays. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends the broker in an orderly way; its data stays. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Sends a signal, such as SIGSTOP, to a running broker. */
  signal(signal: Deno.Signal): void {
    this.#broker?.kill(signal);
  }

  /** Starts the broker again, on the same ports and data. */
  async restart(): Promise<void> {
    await this.#end("SIGTERM");
    await this.#startBroker();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    await this.temporary[Symbol.asyncDispose]();
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    if (broker === undefined) return;
    await using _killedOtherwise = broker;
    await broker.end(signal);
    this.#logLines += broker.lines.map((line) => `${line.text}\n`).join("");
  }

  async #format(formatArgs: readonly string[]): Promise<void> {
    const config = ["--config", `${this.folder}/server.properties`, "--cluster-id", this.node.clusterId];
    await using format = this.#java("kafka.tools.StorageTool", ["format", ...config, ...formatArgs]);
    if (!(await format.exit).success) throw format.failure("could not format Kafka's storage");
  }

  async #startBroker(): Promise<void> {
    const broker = this.#java("kafka.Kafka", [`${this.folder}/server.properties`]);
    this.#broker = broker;
    await broker.waitForLine((line) => line.text.includes("Kafka Server started"), 90_000);
    await until("a connection to the broker", async () => {
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.node.ports.get(this.node.roles === "controller" ? "CONTROLLER" : "PLAINTEXT") ?? 0,
      });
      connection.close();
      return true;
    });
  }

  #java(mainClass: string, args: readonly string[]): Child {
    const { java, classPath } = this.installation;
    // Small and quick to start: tests share the machine with what they test.
    const flags = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=INFO"]
      .concat(this.javaArgs);
    return startChild({
      name: mainClass,
      command: java,
      args: [...flags, "-cp", classPath, mainClass, ...args],
      cwd: this.folder,
      linesMax: 5_000,
    });
  }

  #properties({ partitions = 8, listeners = [], properties = {} }: KafkaOptions): string {
    const all = [{ name: "PLAINTEXT", protocol: "PLAINTEXT" } as ListenerOptions, ...listeners];
    const address = ({ name }: { readonly name: string }) => `${name}://${this.brokersOf(name)}`;
    const controller = { name: "CONTROLLER", protocol: "PLAINTEXT" };
    const { id, roles, voters } = this.node;
    const brokers = roles === "controller" ? [] : all;
    const settings: Record<string, string> = {
      "process.roles": roles,
      "node.id": String(id),
      "controller.quorum.voters": voters,
      "controller.listener.names": "CONTROLLER",
      ...(roles === "controller" ? {} : { "inter.broker.listener.name": "PLAINTEXT" }),
      "listeners": [...brokers, ...(roles === "broker" ? [] : [controller])].map(address).join(","),
      ...(roles === "controller" ? {} : { "advertised.listeners": brokers.map(address).join(",") }),
      "listener.security.protocol.map": [...all, controller].map(({ name, protocol }) =>
        `${name}:${protocol}`
      )
        .join(","),
      "log.dirs": `${this.folder}/data`,
      "num.partitions": String(partitions),
      "auto.create.topics.enable": "false",
      // How long a broker that was killed keeps its successor from registering.
      "broker.session.timeout.ms": "6000",
      "broker.heartbeat.interval.ms": "1000",
      "group.initial.rebalance.delay.ms": "0",
      "group.min.session.timeout.ms": "1000",
      "offsets.topic.replication.factor": "1",
      "offsets.topic.num.partitions": "8",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "transaction.state.log.num.partitions": "4",
      "log.cleaner.dedupe.buffer.size": "4194304",
      ...Object.fromEntries(listeners.flatMap(prefixed)),
      ...properties,
    };
    return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
  }
}

function prefixed({ name, properties = {} }: ListenerOptions): [string, string][] {
  return Object.entries(properties).map((
    [key, value],
  ) => [`listener.name.${name.toLowerCase()}.${key}`, value]);
}

/** A cluster id: it may not begin with a hyphen, which the command line would take for a flag. */
export function newClusterId(): string {
  const id = crypto.getRandomValues(new Uint8Array(16)).toBase64({ alphabet: "base64url" });
  return `A${id.slice(1, 22)}`;
}

/** Free ports by name. */
export function namedPorts(names: readonly string[]): ReadonlyMap<string, number> {
  const ports = freePorts(names.length);
  return new Map(names.map((name, i) => [name, ports[i] ?? 0]));
}

/** One node that is broker and controller. */
function alone({ listeners = [] }: KafkaOptions): ClusterNode {
  const ports = namedPorts(["PLAINTEXT", "CONTROLLER", ...listeners.map(({ name }) => name)]);
  const voters = `1@127.0.0.1:${ports.get("CONTROLLER")}`;
  return { id: 1, roles: "broker,controller", clusterId: newClusterId(), voters, ports };
}
