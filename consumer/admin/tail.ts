// Decisions live over HTTP: server-sent events, filtered; a slow reader loses some and is told how many.

import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { within } from "../../shared/wait.ts";
import { type Decision, DECISION_KINDS } from "../records/decision.ts";
import { parse, problemOf, Refusal } from "./requests.ts";

/** Readers at once: each has a queue of its own. */
const READERS_MAX = 20;
/** A stream on which nothing happens says so after this, in ms, so that one that is dead is noticed. */
const QUIET_MS = 10_000;

/** One who watches; `close()` after use. */
export interface DecisionReader {
  /** Resolves when something waits for it. */
  readonly arrived: Promise<void>;
  take(): { readonly decisions: readonly Decision[]; readonly lost: number };
  close(): void;
}

/** What the route needs. */
export interface TailDeps {
  readonly subscribe: (wants: (decision: Decision) => boolean) => DecisionReader;
  /** Ends all streams, which would hold up the server's end. */
  readonly closing: AbortSignal;
}

const list = (text: string) => text.split(",").map((each) => each.trim());
const querySchema = z.strictObject({
  kind: z.string().transform(list).pipe(z.array(z.enum(DECISION_KINDS))).optional(),
  topic: z.string().optional(),
  partition: z.coerce.number().int().min(0).optional(),
  status: z.string().transform(list).optional(),
});

/** The route: events `decision` with a {@link Decision}, `lost` with a number, `quiet` with nothing. */
export function tailRoutes({ subscribe, closing }: TailDeps) {
  let readers = 0;
  return new Hono()
    .get("/", (c) => {
      const wants = filterOf(parse(querySchema, c.req.query()));
      if (readers >= READERS_MAX) {
        throw new Refusal(503, "busy", `${READERS_MAX} readers are connected already, which is the most`);
      }
      readers += 1;
      const ends = AbortSignal.any([c.req.raw.signal, closing]);
      return streamSSE(c, async (stream) => {
        const reader = subscribe(wants);
        const ended = new Promise<void>((resolve) => {
          ends.addEventListener("abort", () => resolve(), { once: true });
          stream.onAbort(resolve);
        });
        try {
          await stream.writeSSE({ event: "quiet", data: "" });
          while (!ends.aborted && !stream.aborted) {
            await within(QUIET_MS, Promise.race([reader.arrived, ended]));
            await stream.write(eventsOf(reader.take()));
          }
        } finally {
          readers -= 1;
          reader.close();
        }
      });
    })
    .onError((error) => problemOf(error));
}

function filterOf({ kind, topic, partition, status }: z.infer<typeof querySchema>) {
  return (decision: Decision): boolean =>
    (kind === undefined || kind.includes(decision.kind)) &&
    (topic === undefined || topic === decision.topic) &&
    (partition === undefined || partition === decision.partition) &&
    (status === undefined || status.includes(decision.last ?? ""));
}

/** One write for all of them. What is lost came after those that waited. */
function eventsOf({ decisions, lost }: ReturnType<DecisionReader["take"]>): string {
  const events = decisions.map((decision) => `event: decision\ndata: ${JSON.stringify(decision)}\n\n`);
  if (lost > 0) events.push(`event: lost\ndata: ${lost}\n\n`);
  return events.length === 0 ? "event: quiet\ndata:\n\n" : events.join("");
}
