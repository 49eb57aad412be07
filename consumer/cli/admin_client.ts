// AdminClient: asks running consumers over their admin ports what only the one that holds a record can say or do.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import { tokensOf } from "../../shared/http/bearer_token.ts";
import { StartError } from "../../shared/process/start_error.ts";
import type { HeldRecord } from "../records/held_record.ts";

/** How long a consumer may take to answer, in ms. */
const ANSWER_LIMIT_MS = 10_000;

/** A consumer's answer. */
interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** What came of a request to several consumers. */
export type Asked =
  | { readonly kind: "done"; readonly by: string; readonly body: Readonly<Record<string, unknown>> }
  /** Each of them with what it said. */
  | { readonly kind: "refused"; readonly answers: readonly string[] };

/** Knows where consumers are, and the token they ask for. */
export class AdminClient {
  /** Base URLs of the admin ports that are asked. */
  readonly admins: readonly string[];
  readonly #token: string | undefined;

  /** @param admins base URLs of their admin ports; undefined: the one of this machine. */
  constructor(env: Environment, admins?: readonly string[]) {
    const { ADMIN_PORT, ADMIN_TOKEN } = readVariables(["ADMIN_PORT", "ADMIN_TOKEN"], env);
    this.admins = admins ?? [`http://127.0.0.1:${ADMIN_PORT}`];
    this.#token = tokensOf(ADMIN_TOKEN)[0];
  }

  /** Asks one after the other until one does it. */
  post(path: string, body: unknown): Promise<Asked> {
    return this.#ask(path, { method: "POST", body: JSON.stringify(body) });
  }

  /** Asks one after the other until one answers. */
  first(path: string): Promise<Asked> {
    return this.#ask(path, { method: "GET" });
  }

  /** Asks each of them, all at once. */
  async all(path: string): Promise<readonly Asked[]> {
    return await Promise.all(this.admins.map((admin) => this.#ask(path, { method: "GET" }, [admin])));
  }

  /** A record in delivery; undefined where none of them holds it, or none answers. */
  async record(position: string): Promise<HeldRecord | undefined> {
    const asked = await this.#ask(`/records/${position}`, { method: "GET" });
    return asked.kind === "done" ? asked.body as unknown as HeldRecord : undefined;
  }

  /**
   * Follows a stream of text until it ends or `signal` fires.
   *
   * @throws {StartError} where the consumer refuses, or nobody answers.
   */
  async *stream(base: string, path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await fetch(new URL(path, base), { headers: this.#headers(), signal }).catch((error) => {
      throw new StartError(`No answer from ${base}: ${error.message}. Does a consumer run there?`);
    });
    if (!response.ok || response.body === null) {
      const { detail = response.status } = await response.json().catch(() => ({}));
      throw new StartError(`${base}: ${detail}`);
    }
    yield* response.body.pipeThrough(new TextDecoderStream());
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async #ask(path: string, request: RequestInit, admins = this.admins): Promise<Asked> {
    const answers: string[] = [];
    for (const admin of admins) {
      try {
        const answer = await this.#send(new URL(path, admin), request);
        if (answer.ok) return { kind: "done", by: admin, body: answer.body };
        answers.push(`${admin}: ${answer.body["detail"] ?? answer.status}`);
      } catch (error) {
        answers.push(`${admin}: ${(error as Error).message}`);
      }
    }
    return { kind: "refused", answers };
  }

  async #send(url: URL, request: RequestInit): Promise<Answer> {
    const headers = { "content-type": "application/json", ...this.#headers() };
    const response = await fetch(url, { ...request, headers, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    const { ok, status } = response;
    return { ok, status, body: await response.json().catch(() => ({})) };
  }
}
