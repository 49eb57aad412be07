// Records in delivery over HTTP: where one is, and taking out one that will not settle. Typed for `hono/client`.

import { Hono } from "hono";
import { z } from "zod";
import type { TakeEffect } from "../core/operator.ts";
import { json, parse, problemOf, Refusal } from "./requests.ts";
import { type RecordPosition, recordPosition } from "../records/position.ts";
import type { HeldRecord } from "../records/held_record.ts";

/** What became of a record that was taken out. */
export interface Taken {
  readonly effect: TakeEffect;
  /** `settled`: an attempt was quicker; `given-up`: the partition went to another consumer meanwhile. */
  readonly result: "dead-lettered" | "settled" | "given-up" | "waiting";
  /** Why the dead letter is not written yet, where that is what is waited for. */
  readonly why?: string;
}

/** What the routes need. */
export interface RecordCommands {
  /** Undefined where this consumer does not hold it. */
  look(place: RecordPosition): HeldRecord | undefined;
  /** Dead-letters it; undefined where this consumer does not hold it. */
  take(place: RecordPosition): Promise<Taken | undefined>;
}

const bodySchema = z.strictObject({});

/** The routes. `RecordRoutes` is their type, for `hc<RecordRoutes>()`. */
export function recordRoutes(operations: RecordCommands) {
  return new Hono()
    .get("/:topic/:partition{\\d{1,10}}/:offset{\\d{1,15}}", (c) => {
      const place = placeOf(c.req.param());
      return c.json({ at: recordPosition(place), ...held(place, operations.look(place)) });
    })
    .post("/:topic/:partition{\\d{1,10}}/:offset{\\d{1,15}}/dead-letter", async (c) => {
      const place = placeOf(c.req.param());
      parse(bodySchema, await json(c));
      return c.json({ at: recordPosition(place), ...held(place, await operations.take(place)) }, 202);
    })
    .onError((error) => problemOf(error));
}

/** See {@link recordRoutes}. */
export type RecordRoutes = ReturnType<typeof recordRoutes>;

function placeOf(param: { topic: string; partition: string; offset: string }): RecordPosition {
  return { topic: param.topic, partition: Number(param.partition), offset: Number(param.offset) };
}

function held<T>(place: RecordPosition, found: T | undefined): T {
  if (found !== undefined) return found;
  throw new Refusal(
    404,
    "not-held",
    `This consumer does not hold ${
      recordPosition(place)
    }: the partition is another's, or the record is not received or settled`,
  );
}
