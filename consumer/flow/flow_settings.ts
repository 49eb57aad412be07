// FlowSettings: what operators paused and limited, who did it and when, and the text that Kafka keeps of it.

import { z } from "zod";
import type { Hold } from "../core/policies/flow.ts";

/** Who does something, and from which address. */
export interface Operator {
  readonly by: string;
  readonly from: string;
}

const signature = { by: z.string(), from: z.string(), since: z.iso.datetime() };
const pauseSchema = z.object({
  topic: z.string().nullable(),
  partition: z.number().int().nullable(),
  ...signature,
});
const limitSchema = z.object({ value: z.number().positive(), ...signature });
const settingsSchema = z.object({
  pauses: z.array(pauseSchema),
  rate: limitSchema.nullable(),
  pool: limitSchema.nullable(),
});

/** One pause. Without a topic everything is paused, without a partition the whole topic. */
export type FlowPause = Readonly<z.infer<typeof pauseSchema>>;

/** A limit that an operator set. */
export type FlowLimit = Readonly<z.infer<typeof limitSchema>>;

/** Everything that operators set. */
export interface FlowSettings {
  readonly pauses: readonly FlowPause[];
  /** Attempts a second of the group; null: what the environment says. */
  readonly rate: FlowLimit | null;
  /** Attempts at once of the group; null: as many as the pools take. */
  readonly pool: FlowLimit | null;
}

/** Nothing is paused or limited. */
export const NO_SETTINGS: FlowSettings = { pauses: [], rate: null, pool: null };

/** A larger pause holds what is to be resumed. */
export class PausedAsAWhole extends Error {
  override readonly name = "PausedAsAWhole";
}

/** Text before the JSON: the version of what follows. */
const PREFIX = "ackpool-flow:1:";

/** As text that Kafka keeps. */
export function encodeSettings(settings: FlowSettings): string {
  return PREFIX + JSON.stringify(settings);
}

/** Reads it back; undefined where it is not ours. */
export function decodeSettings(text: string): FlowSettings | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  try {
    return settingsSchema.parse(JSON.parse(text.slice(PREFIX.length)));
  } catch {
    return undefined;
  }
}

/** What is held, in words. */
export function describeHold({ topic, partition }: Hold | FlowPause): string {
  if (topic === undefined || topic === null) return "everything";
  return partition === undefined || partition === null ? topic : `${topic}/${partition}`;
}

/** Pauses. What is paused already, alone or with more, stays as it was, and smaller pauses become part of a larger one. */
export function withPause(settings: FlowSettings, hold: Hold, who: Operator, since: string): FlowSettings {
  const pause = { topic: hold.topic ?? null, partition: hold.partition ?? null, ...who, since };
  if (settings.pauses.some((each) => covers(each, pause))) return settings;
  return { ...settings, pauses: [...settings.pauses.filter((each) => !covers(pause, each)), pause] };
}

/**
 * Resumes, with everything that is part of it.
 *
 * @throws {PausedAsAWhole} where only the larger one can be resumed.
 */
export function withoutPause(settings: FlowSettings, hold: Hold): FlowSettings {
  const wanted = { topic: hold.topic ?? null, partition: hold.partition ?? null };
  const pauses = settings.pauses.filter((each) => !covers(wanted, each));
  const larger = pauses.find((each) => covers(each, wanted));
  if (larger === undefined) return { ...settings, pauses };
  const [what, part] = [describeHold(larger), describeHold(hold)];
  throw new PausedAsAWhole(`Paused is ${what}, and ${part} with it. Resume ${what}, or leave it so`);
}

/** Whether one pause holds all that another one does. */
function covers(one: Pick<FlowPause, "topic" | "partition">, other: typeof one): boolean {
  return (one.topic === null || one.topic === other.topic) &&
    (one.partition === null || one.partition === other.partition);
}
