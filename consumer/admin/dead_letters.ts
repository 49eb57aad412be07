// Dead letters over HTTP, for a page or a script: the same operations as `deno task dlq`, typed for `hono/client`.

import { Hono } from "hono";
import { z } from "zod";
import { problemResponse } from "../../shared/http/problem.ts";
import type { DropRequest, DropSummary } from "../dead_letters/drop.ts";
import { type Filter, isKnownStatus } from "../dead_letters/filter.ts";
import type { Listing, ListRequest } from "../dead_letters/list.ts";
import { RetryTopicMissing } from "../dead_letters/replay/retry_records.ts";
import type { ReplayProgress, ReplayRequest, ReplaySummary } from "../dead_letters/replay/request.ts";
import { SecretMissing } from "../dead_letters/signatures.ts";
import type { findOne } from "../dead_letters/scan.ts";
import { listAsJson, showAsJson } from "../dead_letters/json.ts";
import { ProducerFenced, RecordTooLarge } from "../records/log_access.ts";
import { RunningReplay } from "./running_replay.ts";
import { json, parse, Refusal, type Refused } from "./requests.ts";
import { recordPosition } from "../records/position.ts";

/** What the routes need. */
export interface DeadLetterCommands {
  list(request: ListRequest, signal?: AbortSignal): Promise<Listing>;
  findOne(at: Parameters<typeof findOne>[1], signal?: AbortSignal): ReturnType<typeof findOne>;
  replay(request: ReplayRequest, progress: ReplayProgress, signal: AbortSignal): Promise<ReplaySummary>;
  drop(request: DropRequest, signal: AbortSignal): Promise<DropSummary>;
  /** Lets so many dead letters through, whatever the budget says. */
  allow(count: number): void;
  /** Where a request does not say. */
  readonly replaysMax: number;
  /** Whether an error means that Kafka cannot be reached or refuses us. */
  isKafkaAway(error: Error): boolean;
}

/** Reading may take this long, in ms: the first time it waits for a group to form. */
const READ_LIMIT_MS = 60_000;
const CANARY_TIMEOUT_MS = 600_000;

const statusSchema = z.string().refine(isKnownStatus, "Not a status such as 422, 5xx or timeout");

const filterSchema = z.strictObject({
  statuses: z.array(statusSchema).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  key: z.string().optional(),
  grep: z.string().min(1).optional(),
  cause: z.string().optional(),
  positions: z.array(z.string()).optional(),
});

const querySchema = filterSchema.omit({ statuses: true, positions: true }).extend({
  /** Comma list. */
  status: z.string().transform((list) => list.split(",")).pipe(z.array(statusSchema)).optional(),
  state: z.enum(["open", "all"]).default("open"),
  limit: z.coerce.number().int().min(0).max(1000).default(100),
});

const whichSchema = z.strictObject({
  filter: filterSchema.default({}),
  /** Has to be said where the filter is empty. */
  everything: z.boolean().default(false),
  max: z.number().int().min(1).optional(),
  dry_run: z.boolean().default(false),
});

const replaySchema = whichSchema.extend({
  rate: z.number().int().min(1).optional(),
  canary: z.number().int().min(0).default(0),
  canary_timeout_ms: z.number().int().min(1).default(CANARY_TIMEOUT_MS),
  replays_max: z.number().int().min(1).optional(),
});

const allowSchema = z.strictObject({ count: z.number().int().min(1).max(1_000_000) });

/** The routes. `DeadLetterRoutes` is their type, for `hc<DeadLetterRoutes>()`. */
export function deadLetterRoutes(operations: DeadLetterCommands) {
  const run = new RunningReplay();
  return new Hono()
    .get("/", async (c) => {
      const { status, state, limit, ...filter } = parse(querySchema, c.req.query());
      const statuses = status === undefined ? {} : { statuses: status };
      const request = { filter: toFilter({ ...filter, ...statuses }), all: state === "all", limit };
      return c.json(listAsJson(await operations.list(request, limited())));
    })
    .get("/replay", (c) => c.json(run.state()))
    .get("/:topic/:partition{\\d+}/:offset{\\d+}", async (c) => {
      const { topic, partition, offset } = c.req.param();
      const at = { topic, partition: Number(partition), offset: Number(offset) };
      const one = await operations.findOne(at, limited());
      if (one === undefined) {
        throw new Refusal(404, "not-found", `There is no dead letter at ${recordPosition(at)}`);
      }
      return c.json(showAsJson(one.record, one.found));
    })
    .post("/replay", async (c) => {
      const request = toReplay(parse(replaySchema, await json(c)), operations.replaysMax);
      if (request.dryRun) return c.json(await operations.replay(request, () => {}, limited()));
      const started = run.start((progress, signal) => operations.replay(request, progress, signal));
      if (!started) {
        throw new Refusal(409, "replay-running", "A replay is running already. DELETE on this path stops it");
      }
      return c.json(run.state(), 202, { location: "/dead-letters/replay" });
    })
    .delete("/replay", (c) => {
      run.stop();
      return c.json(run.state(), 202);
    })
    .post("/drop", async (c) => {
      const { filter, max, dry_run: dryRun } = narrowed(parse(whichSchema, await json(c)));
      return c.json(await operations.drop({ filter: toFilter(filter), max, dryRun }, limited()));
    })
    .post("/allow", async (c) => {
      const { count } = parse(allowSchema, await json(c));
      operations.allow(count);
      return c.json({ allowed: count });
    })
    .onError((error) => toProblem(error, operations));
}

/** See {@link deadLetterRoutes}. */
export type DeadLetterRoutes = ReturnType<typeof deadLetterRoutes>;

const limited = () => AbortSignal.timeout(READ_LIMIT_MS);

/** Replay and drop change something, so nobody gets all of them for having forgotten the filter. */
function narrowed<T extends z.infer<typeof whichSchema>>(request: T): T {
  if (Object.keys(request.filter).length > 0 || request.everything || request.dry_run) return request;
  throw new Refusal(
    422,
    "invalid-request",
    "Say which dead letters are meant: by a filter, or all of them by everything: true",
  );
}

function toFilter({ since, until, ...filter }: z.infer<typeof filterSchema>): Filter {
  const given = Object.entries({
    ...filter,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
  }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function toReplay(request: z.infer<typeof replaySchema>, replaysMax: number): ReplayRequest {
  const { filter, rate, max, dry_run: dryRun, canary } = narrowed(request);
  return {
    filter: toFilter(filter),
    rate,
    max,
    dryRun,
    canary,
    canaryTimeoutMs: request.canary_timeout_ms,
    replaysMax: request.replays_max ?? replaysMax,
  };
}

function toProblem(error: Error, commands: Pick<DeadLetterCommands, "isKafkaAway">): Response {
  const { status, slug } = kindOf(error, commands);
  return problemResponse({ type: `/problems/${slug}`, title: slug, status, detail: error.message });
}

function kindOf(error: Error, commands: Pick<DeadLetterCommands, "isKafkaAway">): Refused {
  if (error instanceof Refusal) return error;
  if (error instanceof ProducerFenced) return { status: 409, slug: "superseded" };
  if (error instanceof RecordTooLarge) return { status: 409, slug: "record-too-large" };
  if (error instanceof SecretMissing) return { status: 409, slug: "secret-missing" };
  if (error instanceof RetryTopicMissing) return { status: 409, slug: "retry-topic-missing" };
  if (error.name === "TimeoutError" || commands.isKafkaAway(error)) {
    return { status: 503, slug: "kafka-unavailable" };
  }
  return { status: 500, slug: "internal" };
}
