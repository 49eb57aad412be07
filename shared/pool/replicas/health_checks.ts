// The questions to replicas' `/readyz`: those that get nothing are asked until they say yes, the others every few seconds.

import { monotonicMs } from "../../clock.ts";
import { type Agent, type Dispatcher, request } from "undici";
import { BATCH_HEADER } from "../../contract/batch_lines.ts";
import { logger } from "../../log.ts";
import { type Complaint, complaintsIn } from "./complaints.ts";
import type { Replica } from "./replica.ts";
import type { Endpoint } from "../discovery/endpoints.ts";

const log = logger("pool");

/** Pauses between questions to a replica that gets nothing, in ms. */
const AGAIN_FIRST_MS = 500;
const AGAIN_MAX_MS = 5000;
/** Pause between questions to those that work, in ms. */
const POLL_EVERY_MS = 3000;
const CHECK_TIMEOUT_MS = 2000;
/** Questions in a row without any answer after which a replica counts as not ready. */
const UNANSWERED_MAX = 2;
/** The largest answer that is read, in bytes. */
const ANSWER_BYTES_MAX = 16_384;

type Timer = ReturnType<typeof setTimeout>;

/** What a replica says: an answer below 500, one above, or none in time. */
export type Readiness = "ready" | "not-ready" | "unanswered";

/** What it works with. */
export interface HealthChecksPorts {
  readonly agent: Agent;
  readonly replicas: () => readonly Replica[];
  readonly endpointOf: (replica: Replica) => Endpoint | undefined;
  /** A day's budget that replicas called spent is there again. */
  readonly budgetBack: () => void;
  /** A replica gets work again, or none any more. */
  readonly changed: () => void;
  /** What it says of batches: its `Ackpool-Batch`. */
  readonly offered: (replica: Replica, offer: string | undefined) => void;
}

/** Asks replicas for their `/readyz`: an ejected one until it says yes, the others now and then. */
export class HealthChecks {
  readonly #ports: HealthChecksPorts;
  readonly #timers: Map<string, Timer> = new Map();
  readonly #unanswered: Map<string, number> = new Map();
  #poll: Timer | undefined;
  #budgetSpent = false;
  #closed = false;

  constructor(ports: HealthChecksPorts) {
    this.#ports = ports;
  }

  /** From now on all are asked now and then. */
  start(): void {
    if (this.#closed) return;
    this.#poll = setTimeout(async () => {
      await this.#askAll();
      this.start();
    }, POLL_EVERY_MS);
  }

  /** Asks each replica that gets nothing until it says yes; not one whose address has left the name. */
  watch(): void {
    for (const replica of this.#ports.replicas()) {
      const alone = (replica.ejected || replica.draining) && !replica.leaving;
      if (alone && !this.#timers.has(replica.address)) this.#askLater(replica, AGAIN_FIRST_MS);
    }
  }

  /** Ends all waiting. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#poll);
    this.#timers.forEach((timer) => clearTimeout(timer));
  }

  /** Asks one, and keeps what it says is wrong, and whether it takes batches. */
  async ask(endpoint: Endpoint): Promise<Readiness> {
    const replica = this.#ports.replicas().find(({ address }) => address === endpoint.address);
    const keep = (complaints: readonly Complaint[]) => replica?.recordComplaints(complaints, monotonicMs());
    try {
      const response = await request(`${endpoint.address}/readyz`, {
        dispatcher: this.#ports.agent,
        headers: { host: endpoint.url.host },
        signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      });
      const ready = response.statusCode < 500;
      const body = await textOf(response.body, ready ? 0 : ANSWER_BYTES_MAX);
      keep(ready ? [] : complaintsIn(response.statusCode, body));
      this.#followBudget(replica, ready);
      const offer = response.headers[BATCH_HEADER];
      if (replica !== undefined && ready && offer !== undefined) this.#ports.offered(replica, String(offer));
      return ready ? "ready" : "not-ready";
    } catch {
      keep([]);
      return "unanswered";
    }
  }

  #followBudget(replica: Replica | undefined, ready: boolean): void {
    if (replica?.complaints.some(({ name }) => name === "budget-spent")) this.#budgetSpent = true;
    if (!ready || !this.#budgetSpent) return;
    this.#budgetSpent = false;
    this.#ports.budgetBack();
  }

  #askLater(replica: Replica, waitMs: number): void {
    if (this.#closed) return;
    const timer = setTimeout(async () => {
      const endpoint = this.#ports.endpointOf(replica);
      if (endpoint === undefined) return void this.#timers.delete(replica.address);
      if (await this.ask(endpoint) !== "ready") {
        return this.#askLater(replica, Math.min(AGAIN_MAX_MS, waitMs * 2));
      }
      this.#timers.delete(replica.address);
      this.#readmit(replica);
    }, waitMs);
    this.#timers.set(replica.address, timer);
  }

  #readmit(replica: Replica): void {
    log.info("replica readmitted", { replica: replica.address });
    if (replica.ejected) replica.readmit();
    replica.setDraining(false, monotonicMs());
    this.#ports.changed();
  }

  /** A replica that says no while most say yes gets nothing new. If most say no, the trouble is the pool's. */
  async #askAll(): Promise<void> {
    const asked = this.#ports.replicas().filter(({ ejected, draining, leaving }) =>
      !ejected && !draining && !leaving
    );
    const askedMs = monotonicMs();
    const answers = await Promise.all(asked.map(async (replica) => {
      const endpoint = this.#ports.endpointOf(replica);
      if (endpoint === undefined) return { replica, no: false };
      const readiness = await this.ask(endpoint);
      if (readiness === "ready" && replica.endRest(askedMs, monotonicMs())) this.#endedRest(replica);
      return { replica, no: this.#saysNo(replica, readiness) };
    }));
    const no = answers.filter(({ no }) => no);
    if (this.#closed || no.length * 2 >= answers.length) return;
    for (const { replica } of no) {
      log.warn("replica not ready, gets nothing new", { replica: replica.address });
      replica.setDraining(true, monotonicMs());
    }
    if (no.length === 0) return;
    this.watch();
    this.#ports.changed();
  }

  #endedRest({ address }: Replica): void {
    log.info("replica is ready before its rest is over", { replica: address });
    this.#ports.changed();
  }

  #saysNo({ address }: Replica, said: Readiness): boolean {
    const unanswered = said === "unanswered" ? (this.#unanswered.get(address) ?? 0) + 1 : 0;
    this.#unanswered.set(address, unanswered);
    return said === "not-ready" || unanswered >= UNANSWERED_MAX;
  }
}

/** The body as text, at most so many bytes of it; a longer one is left unread and is no text. */
async function textOf(body: Dispatcher.ResponseData["body"], bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes <= bytesMax) chunks.push(chunk);
    else if (bytes > ANSWER_BYTES_MAX) break;
  }
  return bytes > bytesMax ? "" : new TextDecoder().decode(await new Blob(chunks as BlobPart[]).bytes());
}
