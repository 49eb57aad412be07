// A call's body as it arrives: a short one is waited for before the call takes a permit, any other is streamed.

import { within } from "../../shared/wait.ts";
import { CallBody, KEPT_BYTES_MAX } from "./request_body.ts";

/** How long a body that is stated to be short may take to arrive, in ms. */
const SHORT_BODY_MS = 10_000;

/** What there is of it. */
export type Arriving =
  | { readonly kind: "body"; readonly body: Uint8Array | CallBody | null }
  | { readonly kind: "too_slow" | "cut_off" };

/**
 * A body that is stated to be no longer than what is kept anyway is read first, so that a slow caller holds no permit.
 * One that is longer, or does not say, is streamed.
 */
export async function arriving(request: Request, bytesMax: number): Promise<Arriving> {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") {
    return { kind: "body", body: null };
  }
  const stated = Number(request.headers.get("content-length") ?? NaN);
  if (!(stated <= KEPT_BYTES_MAX)) return { kind: "body", body: new CallBody(request.body, bytesMax) };
  const reading = request.bytes();
  if (!await within(SHORT_BODY_MS, reading)) return { kind: "too_slow" };
  return await reading.then((body): Arriving => ({ kind: "body", body }), () => ({ kind: "cut_off" }));
}
