// The history of a run as lines of JSON: what was produced, sent, answered, asked, written, committed and broken, and when.
// Nothing here or in the checker comes from Ackpool's own code: a mistake of one cannot hide in the other.

/** A record's place. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** One thing that happened; `at` is in ms since the epoch, on one clock. */
export type HistoryEvent =
  /** The broker has confirmed a record about a ticket. */
  | { readonly type: "produced"; readonly at: number; readonly place: Place; readonly ticket: string }
  /** A POST of a record left a consumer. */
  | { readonly type: "sent"; readonly at: number; readonly place: Place; readonly sender: string }
  /** It was answered, or its connection ended (status 0). */
  | { readonly type: "answered"; readonly at: number; readonly place: Place; readonly status: number }
  /** A model was asked about a ticket; `answered` is whether its answer was sent. */
  | { readonly type: "asked"; readonly at: number; readonly ticket: string; readonly answered: boolean }
  /** A version of a ticket's row; the place is that of the event it was written for. */
  | {
    readonly type: "row";
    readonly at: number;
    readonly ticket: string;
    readonly category: string;
    readonly place?: Place;
  }
  /** The group's committed offset was read: below it, and in the ranges above it, all is settled. Ends are included. */
  | {
    readonly type: "committed";
    readonly at: number;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly settledAbove: readonly (readonly [number, number])[];
  }
  /** A dead letter of a record lies in the dead-letter topic. */
  | { readonly type: "dead_letter"; readonly at: number; readonly place: Place }
  /** Something was broken on purpose, or mended. */
  | { readonly type: "fault"; readonly at: number; readonly kind: string; readonly target: string }
  | { readonly type: "mended"; readonly at: number; readonly kind: string; readonly target: string };

/** The events of one type. */
export type EventOf<T extends HistoryEvent["type"]> = Extract<HistoryEvent, { readonly type: T }>;

/** One string for a place. */
export function placeId({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}/${offset}`;
}

/** Reads a file of lines. @throws {SyntaxError} at a line that is no JSON. */
export function parseHistory(text: string): HistoryEvent[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as HistoryEvent);
}
