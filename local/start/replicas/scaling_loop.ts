// The loop that asks for the demand, decides the number of replicas, starts and stops them, and updates DNS.

import { pause } from "../../../shared/wait.ts";
import { type DnsServer, startDnsServer } from "../../embedded/dns/server.ts";
import { recordsOf } from "./dns_records.ts";
import { ReplicaSet, type ReplicaSetPorts } from "./replica_set.ts";
import { Autoscaler, type AutoscalerBounds } from "./autoscaler.ts";
import type { Demand } from "./demand.ts";

/** Pause between two looks at the demand, in ms: short compared with the second a process takes to start. */
const LOOK_EVERY_MS = 400;

/** The replicas that are up when one more has come up. */
export interface UpGroup {
  /** How many are up now. */
  readonly up: number;
  readonly wanted: number;
  /** How long so many have been wanted, in ms. */
  readonly sinceMs: number;
}

/** Called with what the loop does. */
export interface ScalingListener extends Pick<ReplicaSetPorts, "onCrash"> {
  /** The wanted number has changed. */
  readonly onScale: (before: number, wanted: number, why: string) => void;
  readonly onUp: (number: number, tookMs: number, group: UpGroup) => void;
}

/** What it needs. */
export interface ScalingLoopPorts {
  readonly bounds: AutoscalerBounds;
  readonly spawn: ReplicaSetPorts["spawn"];
  /** Time for what a replica has in flight when it stops, in ms. */
  readonly graceMs: number;
  readonly listener: ScalingListener;
}

/**
 * Asks again and again what there is to do, and starts and stops replicas by the answer.
 * `follow()` once everything else is up.
 */
export class ScalingLoop {
  readonly #ports: ScalingLoopPorts;
  readonly #names: DnsServer;
  readonly #scaler: Autoscaler;
  readonly #replicas: ReplicaSet;
  readonly #stopping = new AbortController();
  #wanted = 0;
  #worked = false;
  #scaledMs = 0;

  /** Its DNS server answers from the beginning. */
  static async make(ports: ScalingLoopPorts): Promise<ScalingLoop> {
    return new ScalingLoop(ports, await startDnsServer());
  }

  private constructor(ports: ScalingLoopPorts, names: DnsServer) {
    this.#ports = ports;
    this.#names = names;
    this.#scaler = new Autoscaler(ports.bounds);
    this.#replicas = new ReplicaSet(ports.bounds.max, {
      spawn: ports.spawn,
      publish: (places) => names.set(places.flatMap(recordsOf)),
      onUp: (number, tookMs) => this.#cameUp(number, tookMs),
      onCrash: ports.listener.onCrash,
      nowMs,
      later,
      graceMs: ports.graceMs,
    });
  }

  /** `WORKER_DNS_SERVER` of whoever sends to the replicas. */
  get dnsServer(): string {
    return this.#names.address;
  }

  /** Scales by what `read` says, until it is stopped. */
  async follow(read: () => Promise<Omit<Demand, "worked">>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const asked = await read();
      if (signal.aborted) return;
      this.#scale({ ...asked, worked: this.#worked });
      this.#worked = false;
      await pause(LOOK_EVERY_MS, signal);
    }
  }

  /** A replica has done something. */
  worked(): void {
    this.#worked = true;
  }

  /** From now on demand starts or stops nothing. */
  hold(): void {
    this.#stopping.abort();
  }

  /** Stops all replicas within their grace. May be called twice. */
  async stop(): Promise<void> {
    this.hold();
    await this.#replicas.stop();
    await this.#names.close();
  }

  /** Ends all replicas at once. */
  kill(): void {
    this.hold();
    this.#replicas.kill();
  }

  #scale(demand: Demand): void {
    const before = this.#wanted;
    const { wanted, why } = this.#scaler.decide(demand, nowMs());
    if (wanted !== before) {
      this.#wanted = wanted;
      this.#scaledMs = nowMs();
      this.#ports.listener.onScale(before, wanted, why);
    }
    this.#replicas.scaleTo(wanted);
  }

  #cameUp(number: number, tookMs: number): void {
    this.#ports.listener.onUp(number, tookMs, {
      up: this.#replicas.count("up"),
      wanted: this.#wanted,
      sinceMs: nowMs() - this.#scaledMs,
    });
  }
}

const nowMs = () => performance.now();

function later(ms: number, callBack: () => void): () => void {
  const timer = setTimeout(callBack, ms);
  return () => clearTimeout(timer);
}
