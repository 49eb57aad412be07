// A hand on the flow, over HTTP: pause and resume, the group's rate and the pool's ceiling. Typed for `hono/client`.

import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Hold } from "../core/policies/flow.ts";
import { type Operator, PausedAsAWhole } from "../flow/flow_settings.ts";
import type { FlowJson } from "../flow/flow_json.ts";
import { NotKept, NotRead, TooMuchToKeep } from "../flow/refusals.ts";
import { json, parse, problemOf, Refusal } from "./requests.ts";

/** What the routes need. Each resolves when Kafka has it, to how things are then. */
export interface FlowCommands {
  now(): FlowJson;
  /** @throws {NotRead} @throws {NotKept} @throws {TooMuchToKeep} */
  pause(hold: Hold, who: Operator): Promise<FlowJson>;
  /** @throws {NotRead} @throws {NotKept} @throws {PausedAsAWhole} */
  resume(hold: Hold, who: Operator): Promise<FlowJson>;
  /** @throws {NotKept} */
  setRate(recordsPerSecond: number | null, who: Operator): Promise<FlowJson>;
  /** @throws {NotKept} */
  setPool(permits: number | null, who: Operator): Promise<FlowJson>;
}

/** A person's name, as they give it: it goes into the log. */
const by = z.string().regex(/^[\p{L}\p{N} ._@+-]{1,64}$/u, "is not a name of up to 64 letters").optional();

const holdSchema = z.strictObject({
  topic: z.string().min(1).max(249).optional(),
  partition: z.number().int().min(0).optional(),
  by,
}).refine(({ topic, partition }) => topic !== undefined || partition === undefined, {
  path: ["partition"],
  message: "needs a topic",
});
const rateSchema = z.strictObject({ recordsPerSecond: z.number().min(0.01).max(1_000_000).nullable(), by });
const poolSchema = z.strictObject({ permits: z.number().int().min(1).max(1_000_000).nullable(), by });

/** The routes. `FlowRoutes` is their type, for `hc<FlowRoutes>()`. */
export function flowRoutes(flow: FlowCommands) {
  return new Hono()
    .get("/", (c) => c.json(flow.now()))
    .post("/pause", async (c) => {
      const { by, ...hold } = parse(holdSchema, await json(c));
      return c.json(await flow.pause(hold, operatorOf(c, by)));
    })
    .post("/resume", async (c) => {
      const { by, ...hold } = parse(holdSchema, await json(c));
      return c.json(await flow.resume(hold, operatorOf(c, by)));
    })
    .post("/rate", async (c) => {
      const { by, recordsPerSecond } = parse(rateSchema, await json(c));
      return c.json(await flow.setRate(recordsPerSecond, operatorOf(c, by)));
    })
    .post("/pool", async (c) => {
      const { by, permits } = parse(poolSchema, await json(c));
      return c.json(await flow.setPool(permits, operatorOf(c, by)));
    })
    .onError((error) => problemOf(asRefusal(error)));
}

/** See {@link flowRoutes}. */
export type FlowRoutes = ReturnType<typeof flowRoutes>;

/** Tokens have no names: who sends one says theirs, or is an operator. */
function operatorOf(c: Context, by = "an operator"): Operator {
  const { remoteAddr } = (c.env ?? {}) as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>>;
  return { by, from: remoteAddr?.hostname ?? "unknown" };
}

function asRefusal(error: Error): Error {
  if (error instanceof NotRead) return new Refusal(404, "not-read", error.message);
  if (error instanceof PausedAsAWhole) return new Refusal(409, "paused-as-a-whole", error.message);
  if (error instanceof TooMuchToKeep) return new Refusal(409, "too-many-pauses", error.message);
  return error instanceof NotKept ? new Refusal(503, "not-kept", error.message) : error;
}
