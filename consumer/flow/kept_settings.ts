// KeptSettings: what operators set, as Kafka keeps it for the group; read again and again, and written with each change.

import { logger } from "../../shared/log.ts";
import {
  decodeSettings,
  describeHold,
  encodeSettings,
  type FlowSettings,
  NO_SETTINGS,
} from "./flow_settings.ts";
import type { FlowStore } from "./flow_store.ts";
import { NotKept, TooMuchToKeep } from "./refusals.ts";

const log = logger("flow");

/** Kafka forgets what nobody commits for a week, so it is written again, in ms. */
const KEEP_EVERY_MS = 6 * 3_600_000;

/** What it works with. */
export interface KeptPorts {
  readonly store: FlowStore;
  /** Topics that the group reads, retry topics among them. */
  readonly topics: () => readonly string[];
  readonly nowMs: () => number;
  /** Hears of new settings. */
  readonly changed: () => void;
}

/** The newest settings that are known. */
export class KeptSettings {
  readonly #ports: KeptPorts;
  #settings: FlowSettings = NO_SETTINGS;
  #text = "";
  #version = 0;
  #notKept: string | null = null;
  #writtenMs: number;

  constructor(ports: KeptPorts) {
    this.#ports = ports;
    this.#writtenMs = ports.nowMs();
  }

  get settings(): FlowSettings {
    return this.#settings;
  }

  /** Changes so far; 0 where there was none. */
  get version(): number {
    return this.#version;
  }

  /** Why Kafka does not keep them; null where it does. */
  get notKept(): string | null {
    return this.#notKept;
  }

  /** Reads what Kafka has. Returns what went wrong. */
  async look(): Promise<Error | undefined> {
    try {
      await this.#read();
      if (this.#notKept !== null) log.info("pauses and limits are kept again");
      this.#notKept = null;
      return undefined;
    } catch (error) {
      const why = (error as Error).message;
      if (this.#notKept === null) log.warn("pauses and limits are not kept", { why });
      this.#notKept = why;
      return error as Error;
    }
  }

  /** Resolves when Kafka has them. @throws {NotKept} @throws {TooMuchToKeep} */
  async write(settings: FlowSettings): Promise<void> {
    const stored = { version: this.#version + 1, text: encodeSettings(settings) };
    try {
      await this.#ports.store.write(this.#ports.topics(), stored);
    } catch (error) {
      if (error instanceof TooMuchToKeep) throw error;
      throw new NotKept(`Kafka does not keep it: ${(error as Error).message}`);
    }
    this.#adopt(stored.version, stored.text);
  }

  async #read(): Promise<void> {
    const { store, topics, nowMs } = this.#ports;
    const { newest, complete } = await store.read(topics());
    // Who deleted it, or a topic that it lay at, did not mean that.
    const lost = this.#version > (newest?.version ?? 0);
    if (newest !== undefined && !lost) this.#adopt(newest.version, newest.text);
    const old = nowMs() - this.#writtenMs >= KEEP_EVERY_MS;
    if (this.#version === 0 || (!lost && complete && !old)) return;
    await store.write(topics(), { version: this.#version, text: this.#text });
    this.#writtenMs = nowMs();
  }

  /** Of two changes at the same moment the one counts that Kafka kept. */
  #adopt(version: number, text: string): void {
    if (version === this.#version && text === this.#text) return;
    const settings = decodeSettings(text);
    if (settings === undefined) throw new Error("what operators set was written by another release");
    [this.#version, this.#text, this.#settings] = [version, text, settings];
    log.info("flow", {
      version,
      paused: settings.pauses.map(describeHold),
      rate: settings.rate?.value,
      pool: settings.pool?.value,
    });
    this.#ports.changed();
  }
}
