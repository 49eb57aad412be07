// RealCluster is a real Kafka of several brokers for tests, each of which can be killed and started again by itself.

import { type KafkaOptions, namedPorts, newClusterId, RealKafka } from "./real_kafka.ts";

/** What of a broker's options a cluster takes. */
export type ClusterOptions = Pick<KafkaOptions, "partitions" | "properties" | "report">;

/** Small heaps: three brokers share the machine with what is tested. */
const JAVA_ARGS = ["-Xmx256m"];

/** A running cluster. `await using` stops it and removes its data. */
export class RealCluster implements AsyncDisposable {
  private constructor(
    /** The brokers, without a controller of its own. */
    readonly nodes: readonly RealKafka[],
    private readonly controller: RealKafka | undefined,
  ) {}

  /**
   * Starts two brokers or more. From three on they are their own controllers, so that one may be away; of two neither
   * could be, so they have a controller beside them. Topics that are made without a number get one replica, as by
   * Kafka's default; Kafka's own topics get as many as there are brokers.
   */
  static async start(
    brokers: number,
    { properties = {}, ...options }: ClusterOptions = {},
  ): Promise<RealCluster> {
    const clusterId = newClusterId();
    const apart = brokers < 3;
    const ids = Array.from({ length: brokers }, (_, i) => i + 1);
    const ports = new Map(ids.map((id) => [id, namedPorts(["PLAINTEXT", "CONTROLLER"])]));
    const controllerPorts = namedPorts(["PLAINTEXT", "CONTROLLER"]);
    const voter = (id: number, of: ReadonlyMap<string, number>) => `${id}@127.0.0.1:${of.get("CONTROLLER")}`;
    const voters = apart
      ? voter(100, controllerPorts)
      : Array.from(ports, ([id, of]) => voter(id, of)).join(",");
    const settings: KafkaOptions = {
      ...options,
      javaArgs: JAVA_ARGS,
      properties: {
        "offsets.topic.replication.factor": String(brokers),
        "transaction.state.log.replication.factor": String(brokers),
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "controlled.shutdown.enable": "true",
        ...properties,
      },
    };
    const controller = apart
      ? await RealKafka.start(settings, {
        id: 100,
        roles: "controller",
        clusterId,
        voters,
        ports: controllerPorts,
      })
      : undefined;
    const starting = Array.from(ports, ([id, of]) =>
      RealKafka.start(settings, {
        id,
        roles: apart ? "broker" : "broker,controller",
        clusterId,
        voters,
        ports: of,
      }));
    const started = await Promise.allSettled(starting);
    const nodes = started.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    const cluster = new RealCluster(nodes, controller);
    const failed = started.find((each) => each.status === "rejected");
    if (failed === undefined) return cluster;
    await cluster[Symbol.asyncDispose]();
    throw failed.reason;
  }

  /** All brokers, as `KAFKA_BROKERS` takes them. */
  get brokers(): string {
    return this.nodes.map(({ brokers }) => brokers).join(",");
  }

  /** The broker of an id, counted from 1. */
  node(id: number): RealKafka {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new RangeError(`There is no broker ${id}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes, this.controller].map((node) => node?.[Symbol.asyncDispose]()));
  }
}
