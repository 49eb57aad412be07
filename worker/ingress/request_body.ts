// Body of a call: read whole before the call takes a permit, within bounds of size, time and memory.

import { joinChunks } from "../../shared/http/join_chunks.ts";
import { within } from "../../shared/wait.ts";

/** Time for a body to begin, in ms; it goes on as long as it comes at {@link BYTES_PER_MS} or faster. */
const BEGIN_MS = 10_000;
const BYTES_PER_MS = 64;
/** All bodies that are held at once, in bytes: an ingress has 256 MiB in the manifests. */
const HELD_BYTES_MAX = 67_108_864;

/** What came of a call's body. */
export type ReceivedBody =
  | { readonly kind: "body"; readonly body: Uint8Array | null }
  | { readonly kind: "too_large" | "too_slow" | "cut_off" | "no_room" };

/** Bodies of calls, from their first byte until their call has ended. */
export class RequestBodies {
  readonly #bytesMax: number;
  readonly #heldMax: number;
  #held = 0;

  /** @param bytesMax the largest body that is taken. */
  constructor(bytesMax: number, heldMax = HELD_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#heldMax = heldMax;
  }

  /** Bytes of all bodies that are held now. */
  get held(): number {
    return this.#held;
  }

  /** Reads a body. A slow or endless one takes no permit. What `body` holds counts until it is given to {@link release}. */
  async receive(request: Request): Promise<ReceivedBody> {
    if (request.body === null || request.method === "GET" || request.method === "HEAD") {
      return { kind: "body", body: null };
    }
    const reader = request.body.getReader();
    const received = await this.#read(reader);
    if (received.kind !== "body") reader.cancel().catch(() => {});
    return received;
  }

  /** The call has ended. */
  release(body: Uint8Array | null): void {
    this.#held -= body?.length ?? 0;
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReceivedBody> {
    const startedMs = performance.now();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const refuse = (kind: Exclude<ReceivedBody["kind"], "body">): ReceivedBody => {
      this.#held -= bytes;
      return { kind };
    };
    try {
      for (;;) {
        const reading = reader.read();
        const leftMs = startedMs + BEGIN_MS + bytes / BYTES_PER_MS - performance.now();
        if (!await within(Math.max(0, leftMs), reading)) return refuse("too_slow");
        const { done, value } = await reading;
        if (done) return { kind: "body", body: joinChunks(chunks, bytes) };
        if (bytes + value.length > this.#bytesMax) return refuse("too_large");
        if (this.#held + value.length > this.#heldMax) return refuse("no_room");
        chunks.push(value);
        bytes += value.length;
        this.#held += value.length;
      }
    } catch {
      return refuse("cut_off");
    }
  }
}
