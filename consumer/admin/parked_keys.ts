// Parked keys over HTTP: which there are, what they wait for and how much is behind them.

import { Hono } from "hono";
import { z } from "zod";
import { bytesAsText } from "../dead_letters/letter.ts";
import type { ParkedKey } from "../core/parking/letters.ts";
import { type MachineView, parkedKeys } from "../core/view.ts";
import { parse, problemOf } from "./requests.ts";

/** One parked key, for machines. */
export interface ParkedKeyJson {
  /** Text, `base64:…` where it is not UTF-8. */
  readonly key: string;
  /** `topic/partition` that its records are read from. */
  readonly at: string;
  /** `parked`: later records follow its dead letters; `returning`: they wait for replays. */
  readonly state: "parked" | "returning";
  /** Offset in `at` of the first dead letter that is open; null where all of them return. */
  readonly behind: number | null;
  /** Dead letters that are neither replayed nor dropped. */
  readonly letters: number;
  /** Dead letters whose replays are not settled. */
  readonly returning: number;
}

/** The body of `GET /parked`. A group of several consumers asks each of them. */
export interface ParkedJson {
  readonly total: number;
  readonly keys: readonly ParkedKeyJson[];
}

const querySchema = z.strictObject({ limit: z.coerce.number().int().min(0).max(10_000).default(100) });

/** The route. */
export function parkedRoutes(view: () => MachineView) {
  return new Hono()
    .get("/", (c) => {
      const { limit } = parse(querySchema, c.req.query());
      const all = [...parkedKeys(view())];
      const body: ParkedJson = { total: all.length, keys: all.slice(0, limit).map(toJson) };
      return c.json(body);
    })
    .onError((error) => problemOf(error));
}

/** For `hc<ParkedRoutes>()`. */
export type ParkedRoutes = ReturnType<typeof parkedRoutes>;

function toJson({ key, at, open, returning, first }: ParkedKey): ParkedKeyJson {
  return {
    key: bytesAsText(Uint8Array.from(key, (character) => character.charCodeAt(0))),
    at,
    state: returning > 0 ? "returning" : "parked",
    behind: first ?? null,
    letters: open,
    returning,
  };
}
