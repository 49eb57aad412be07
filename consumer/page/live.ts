// Live: sends a screen anew to everybody who looks at it, once a second and only where it has changed.

import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { problemResponse } from "../../shared/http/problem.ts";
import { pause } from "../../shared/wait.ts";

/** Time between two looks, in ms; the page calls the server silent after four of them. */
const EVERY_MS = 1000;
/** A screen that was drawn so recently is sent to the next reader as it is, in ms. */
const FRESH_MS = 250;
const READERS_MAX = 20;

/** Draws screens for readers. Without one nothing is computed. */
export class LiveScreens {
  readonly #closing: AbortSignal;
  readonly #drawn = new Map<string, { readonly atMs: number; readonly html: string }>();
  #readers = 0;

  /** @param closing ends all streams, which would hold up the server's end. */
  constructor(closing: AbortSignal) {
    this.#closing = closing;
  }

  /** Readers that look now. */
  get readers(): number {
    return this.#readers;
  }

  /**
   * Answers with server-sent events: `screen` with HTML, `same` where nothing changed.
   *
   * @param key says which screen it is, with its filters.
   */
  answer(c: Context, key: string, draw: () => string | Promise<string>): Response {
    if (this.#readers >= READERS_MAX) {
      const detail = `${READERS_MAX} browsers look already`;
      return problemResponse({ type: "/problems/busy", title: "busy", status: 503, detail }, {
        "retry-after": "10",
      });
    }
    this.#readers += 1;
    return streamSSE(c, (stream) => this.#send(stream, c.req.raw.signal, key, draw));
  }

  async #send(
    stream: SSEStreamingApi,
    gone: AbortSignal,
    key: string,
    draw: () => string | Promise<string>,
  ): Promise<void> {
    const ends = AbortSignal.any([gone, this.#closing]);
    stream.onAbort(() => {});
    let sent: string | undefined;
    try {
      while (!ends.aborted && !stream.aborted) {
        const html = await this.#draw(key, draw);
        await stream.writeSSE(html === sent ? { event: "same", data: "" } : { event: "screen", data: html });
        sent = html;
        await pause(EVERY_MS, ends);
      }
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) this.#drawn.clear();
    }
  }

  /** Several who look at the same screen share it. */
  async #draw(key: string, draw: () => string | Promise<string>): Promise<string> {
    const nowMs = performance.now();
    const drawn = this.#drawn.get(key);
    if (drawn !== undefined && nowMs - drawn.atMs < FRESH_MS) return drawn.html;
    const html = await draw();
    if (this.#drawn.size > READERS_MAX) this.#drawn.clear();
    this.#drawn.set(key, { atMs: nowMs, html });
    return html;
  }
}
