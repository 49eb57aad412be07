// One container of the project: a process in a place of its own on the network, its health, and its end.

import { run } from "../../support/images/deploy_tools.ts";
import { type Child, startChild } from "../../support/processes/process.ts";
import { until } from "../../support/until.ts";
import { durationMs, type Service } from "./compose_config.ts";
import type { Network, Place } from "./network.ts";
import { commandOf, healthCheckOf, type Surroundings } from "./programs.ts";

/** What an engine gives a container to stop where nothing else is said. */
const STOP_GRACE_MS = 10_000;
const HEALTHY_MAX_MS = 120_000;

/** What a one-off run is given in place of the service's own. */
export interface RunOptions {
  readonly args?: readonly string[];
  /** A file on standard input. */
  readonly stdin?: string;
}

/** One container of the project: a process in its own network namespace, its health, and its end. */
export class Container {
  private constructor(
    readonly name: string,
    readonly service: Service,
    readonly place: Place,
    readonly child: Child,
    private readonly around: Surroundings,
  ) {}

  /** Starts a service's container; the network knows it under the service's name. */
  static async start(
    around: Surroundings,
    network: Network,
    [name, service]: readonly [string, Service],
    { args, stdin = "/dev/null" }: RunOptions = {},
  ): Promise<Container> {
    const place = await network.place();
    network.name(name, place.address);
    const command = ["netns", "exec", place.namespace, ...commandOf(around, service, args)];
    const child = startChild({
      name: `${name} (${place.address})`,
      command: "sh",
      args: ["-c", 'exec ip "$@" < "$0"', stdin, ...command],
      linesMax: 2000,
    });
    return new Container(name, service, place, child, around);
  }

  /** An answer of its HTTP side. */
  async ask(port: number, path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`http://${this.place.address}:${port}${path}`, init);
  }

  /** Whether its health check exits 0; true without one. */
  async isHealthy(): Promise<boolean> {
    const check = healthCheckOf(this.around, this.service);
    if (check === undefined) return true;
    return (await run(["ip", "netns", "exec", this.place.namespace, ...check])).code === 0;
  }

  /** @throws {Error} with its last lines when it ends, or is not healthy in time. */
  async untilHealthy(): Promise<void> {
    const asked = async () => this.child.status !== undefined || await this.isHealthy();
    await until(`health of ${this.name}`, asked, { timeoutMs: HEALTHY_MAX_MS, everyMs: 200 }).catch(() => {
      throw this.child.failure("did not become healthy");
    });
    if (this.child.status !== undefined) throw this.child.failure("ended at its start");
  }

  /** @throws {Error} with its last lines when it does not exit 0. */
  async untilCompleted(): Promise<void> {
    const { success } = await this.child.exit;
    if (!success) throw this.child.failure("failed");
  }

  /** Stops it as an engine does; its exit code. @throws {Error} when the grace period passes. */
  async stop(): Promise<number> {
    // The STOPSIGNAL of the image postgres.
    const signal = this.service.image.startsWith("postgres:") ? "SIGINT" : "SIGTERM";
    const grace = this.service.stop_grace_period;
    const { code } = await this.child.end(signal, grace === undefined ? STOP_GRACE_MS : durationMs(grace));
    return code;
  }
}
