// LazyAdmin is an admin connection that is made when it is first needed, and made anew after it could not be made.

import type { Admin, Kafka } from "kafkajs";
import { within } from "../../../shared/wait.ts";

/** How long ending the connection may take, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** One admin connection; `close()` after use. */
export class LazyAdmin {
  readonly #kafka: Kafka;
  readonly #retries: number | undefined;
  #connecting: Promise<Admin> | undefined;

  /** @param retries of one request; those of the client where it is left out. */
  constructor(kafka: Kafka, retries?: number) {
    this.#kafka = kafka;
    this.#retries = retries;
  }

  /** The connection. Rejects when no broker can be reached; the next call tries again. */
  async connected(): Promise<Admin> {
    const connecting = this.#connecting ??= this.#connect();
    try {
      return await connecting;
    } catch (error) {
      if (this.#connecting === connecting) this.#connecting = undefined;
      throw error;
    }
  }

  /** Ends the connection; the next question makes a new one. */
  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (connecting === undefined) return;
    await within(CLOSE_LIMIT_MS, connecting.then((admin) => admin.disconnect()));
  }

  async #connect(): Promise<Admin> {
    const options = this.#retries === undefined ? {} : { retry: { retries: this.#retries } };
    const admin = this.#kafka.admin(options);
    await admin.connect();
    return admin;
  }
}
