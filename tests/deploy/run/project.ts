// The compose project as containers: started in the order that the dependency conditions allow, scaled, and stopped.

import { Container, type RunOptions } from "./container.ts";
import type { Service } from "./compose_config.ts";
import type { Network } from "./network.ts";
import type { Surroundings } from "./programs.ts";

/** How a service's container ended when it was stopped. */
export interface Stopped {
  readonly name: string;
  readonly code: number;
  readonly tookMs: number;
}

/** The compose project as containers: started in the order of its dependencies, scaled, stopped. */
export class Project {
  readonly #services: Readonly<Record<string, Service>>;
  readonly #around: Surroundings;
  readonly #network: Network;
  #up = new Map<string, Promise<Container[]>>();
  #running = new Map<string, Container[]>();

  constructor(services: Readonly<Record<string, Service>>, around: Surroundings, network: Network) {
    this.#services = services;
    this.#around = around;
    this.#network = network;
  }

  /** `up`: every service without a profile or with this one; `scale` says how many where not one. */
  async up(scale: Readonly<Record<string, number>> = {}, profile?: string): Promise<void> {
    const names = Object.keys(this.#services).filter((name) => {
      const { profiles = [] } = this.#service(name);
      return profiles.length === 0 || (profile !== undefined && profiles.includes(profile));
    });
    await Promise.all(names.map((name) => this.#started(name, scale)));
  }

  /** More containers of a service, as `up --scale` starts them beside those that run. */
  async add(name: string, count: number): Promise<void> {
    const more = Array.from({ length: count }, () => this.#start(name));
    this.containers(name).push(...await Promise.all(more));
  }

  /** `run --rm`: a container of its own, to its end. @throws {Error} when it does not exit 0. */
  async run(name: string, options: RunOptions = {}): Promise<Container> {
    await this.#dependencies(name, {});
    const container = await this.#start(name, options);
    await container.untilCompleted();
    this.#network.forget(name, container.place.address);
    return container;
  }

  /** The containers of a service that were started and not stopped. */
  containers(name: string): Container[] {
    const found = this.#running.get(name) ?? [];
    this.#running.set(name, found);
    return found;
  }

  /** The only container of a service. */
  only(name: string): Container {
    const [container] = this.containers(name);
    if (container === undefined) throw new Error(`${name} does not run`);
    return container;
  }

  /** Stops one container: the name forgets it at once, as an engine's does. */
  async stopOne(container: Container): Promise<Stopped> {
    const { name, place } = container;
    this.#network.forget(name, place.address);
    this.#running.set(name, this.containers(name).filter((each) => each !== container));
    const startedMs = performance.now();
    const code = await container.stop();
    return { name, code, tookMs: performance.now() - startedMs };
  }

  /** `stop`: what depends on a service ends before it. */
  async stop(): Promise<Stopped[]> {
    const stopped: Stopped[] = [];
    let waiting = [...this.#running.keys()].filter((name) => this.containers(name).length > 0);
    while (waiting.length > 0) {
      const needed = new Set(waiting.flatMap((name) => Object.keys(this.#service(name).depends_on ?? {})));
      const last = waiting.filter((name) => !needed.has(name));
      const containers = last.flatMap((name) => this.containers(name)).filter(({ child }) =>
        child.status === undefined
      );
      stopped.push(...await Promise.all(containers.map((container) => this.stopOne(container))));
      waiting = waiting.filter((name) => needed.has(name));
    }
    // What had ended before is started again by the next up, as compose does.
    this.#up = new Map();
    this.#running = new Map();
    return stopped;
  }

  /** What every container wrote last, for when something does not come about. */
  diagnosis(): string {
    return [...this.#running.values()].flat().map(({ child }) => child.failure("at the end").message).join(
      "\n",
    );
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    const all = [...this.#running.values()].flat();
    await Promise.all(all.map(({ child }) => child.end("SIGKILL")));
  }

  #service(name: string): Service {
    const service = this.#services[name];
    if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
    return service;
  }

  #started(name: string, scale: Readonly<Record<string, number>>): Promise<Container[]> {
    const begun = this.#up.get(name);
    if (begun !== undefined) return begun;
    const starting = (async () => {
      await this.#dependencies(name, scale);
      await this.add(name, scale[name] ?? 1);
      return this.containers(name);
    })();
    this.#up.set(name, starting);
    return starting;
  }

  async #dependencies(name: string, scale: Readonly<Record<string, number>>): Promise<void> {
    const dependencies = Object.entries(this.#service(name).depends_on ?? {});
    await Promise.all(dependencies.map(async ([other, { condition }]) => {
      for (const container of await this.#started(other, scale)) {
        if (condition === "service_healthy") await container.untilHealthy();
        if (condition === "service_completed_successfully") await container.untilCompleted();
      }
    }));
  }

  async #start(name: string, options: RunOptions = {}): Promise<Container> {
    return await Container.start(this.#around, this.#network, [name, this.#service(name)], options);
  }
}
