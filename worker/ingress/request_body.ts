// A call's body on its way through: counted, never held beyond what a second try needs.

/** As much of a body is kept as lets another replica have it from its beginning, in bytes. */
export const KEPT_BYTES_MAX = 65_536;

/** The body is larger than is taken. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** A body that may be sent several times, one after another, while {@link whole}. */
export class CallBody {
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
