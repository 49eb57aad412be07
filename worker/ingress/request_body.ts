// Body of a call: counted on its way through, and never held beyond what a second try needs.

import { within } from "../../shared/wait.ts";

/** As much of a body is kept as lets another replica have it from its beginning, in bytes. */
export const KEPT_BYTES_MAX = 65_536;
/** How long a body that is stated to be short may take to arrive, in ms. */
const SHORT_BODY_MS = 10_000;

/** What came of a call's body. */
export type ReceivedBody =
  | { readonly kind: "body"; readonly body: Uint8Array | RequestBody | null }
  | { readonly kind: "too_slow" | "cut_off" };

/**
 * Reads a body of at most {@link KEPT_BYTES_MAX} stated bytes before the call takes a permit, so that a slow caller holds
 * none. A body that is longer, or of unknown length, is streamed.
 */
export async function receiveBody(request: Request, bytesMax: number): Promise<ReceivedBody> {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") {
    return { kind: "body", body: null };
  }
  const stated = Number(request.headers.get("content-length") ?? NaN);
  if (!(stated <= KEPT_BYTES_MAX)) return { kind: "body", body: new RequestBody(request.body, bytesMax) };
  const reading = request.bytes();
  if (!await within(SHORT_BODY_MS, reading)) return { kind: "too_slow" };
  return await reading.then((body): ReceivedBody => ({ kind: "body", body }), () => ({ kind: "cut_off" }));
}

/** The body is larger than is taken. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** A body that may be sent several times, one after another, while {@link whole}. */
export class RequestBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #bytesMax: number;
  #kept: Uint8Array[] = [];
  #bytes = 0;
  #whole = true;
  #reading: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;

  /** @param bytesMax beyond it the body throws {@link BodyTooLargeError} before more is passed on. */
  constructor(stream: ReadableStream<Uint8Array>, bytesMax: number) {
    this.#reader = stream.getReader();
    this.#bytesMax = bytesMax;
  }

  /** Nothing of it is lost: it can be sent again from its beginning. */
  get whole(): boolean {
    return this.#whole;
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From the beginning; ends early when the signal fires. What is being read then belongs to the next try. */
  async *read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let at = 0; !signal.aborted; at++) {
      const chunk = this.#kept[at] ?? await this.#next(signal);
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** Nobody reads it any more. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.#reading ??= this.#reader.read();
    const stopped = Promise.withResolvers<undefined>();
    const stop = () => stopped.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    const read = await Promise.race([this.#reading, stopped.promise])
      .finally(() => signal.removeEventListener("abort", stop));
    if (read === undefined) return undefined;
    this.#reading = undefined;
    if (read.done) return undefined;
    this.#count(read.value);
    return read.value;
  }

  #count(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) {
      throw new BodyTooLargeError(`At most ${this.#bytesMax} bytes are taken`);
    }
    if (this.#whole && this.#bytes <= KEPT_BYTES_MAX) this.#kept.push(chunk);
    else {
      this.#whole = false;
      this.#kept = [];
    }
  }
}
