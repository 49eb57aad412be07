// Text of `deno task dlq` for people. Pure.

import { printable } from "../../shared/printable.ts";
import { textTable } from "../../shared/text_table.ts";
import type { HeldRecord } from "../records/held_record.ts";
import type { DropSummary } from "../dead_letters/drop.ts";
import type { ReplaySummary } from "../dead_letters/replay/request.ts";
import type { DeadLetterJson, ListJson, ShowJson } from "../dead_letters/json.ts";

/** What `dlq list` prints. */
export function listAsText({ meant, total, causes, dead_letters: letters }: ListJson): string {
  if (meant === 0) {
    return total === 0
      ? "There is no dead letter."
      : `None of the ${
        count(total)
      } dead letters is open and matches what was asked for (--all shows closed ones).`;
  }
  const groups = textTable([
    ["CAUSE", "COUNT", "PARKED", "OLDEST", "NEWEST"],
    ...causes.map((
      { cause, count: many, parked, oldest, newest },
    ) => [printable(cause), count(many), count(parked), oldest, newest]),
  ]);
  const rows = textTable([
    ["AT", "DEAD-LETTERED", "STATUS", "ATTEMPTS", "REPLAYS", "STATE", "KEY", "ORIGIN"],
    ...letters.map((letter) => [
      printable(letter.at),
      letter.dead_lettered_at,
      printable(letter.status),
      attemptsOf(letter),
      String(letter.replays),
      letter.state,
      letter.key === null ? "-" : printable(shortened(letter.key, 40)),
      letter.origin === null ? "-" : printable(letter.origin.at),
    ]),
  ]);
  const more = meant > letters.length ? `\n… and ${count(meant - letters.length)} more (--limit)` : "";
  return `${groups}\n\n${rows}${more}`;
}

/** Refusals and full replicas make attempts that do not count against a record. */
function attemptsOf({ attempts, attempts_counted: counted }: DeadLetterJson): string {
  return counted === null || counted === attempts ? String(attempts) : `${counted} of ${attempts} counted`;
}

/** What `dlq show` prints. */
export function showAsText({ value, headers, ...letter }: ShowJson): string {
  const about = textTable([
    ["at", printable(letter.at)],
    ["state", letter.state],
    ["cause", printable(letter.cause)],
    ["attempts", attemptsOf(letter)],
    ["origin", letter.origin === null ? "-" : `${printable(letter.origin.at)}  ${letter.origin.time}`],
    ["key", letter.key === null ? "-" : printable(letter.key)],
  ]);
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((each) => `${printable(name)}: ${printable(each)}`)
  );
  return `${about}\n\n${lines.join("\n")}\n\n${value === null ? noValue(letter) : printable(value)}`;
}

function noValue({ incomplete, origin }: Pick<ShowJson, "incomplete" | "origin">): string {
  if (!incomplete) return "(a tombstone)";
  return `(its value is not in the dead-letter topic; the whole record lies at ${origin?.at})`;
}

/** The last line of `dlq replay`. */
export function replayAsText(
  { end, meant, replayed, looping, blocked, foreign, incomplete, canary }: ReplaySummary,
): string {
  const left = [
    ...(looping > 0 ? [`${count(looping)} left out: replayed too often already (--replays-max)`] : []),
    ...(blocked > 0
      ? [`${count(blocked)} left out: an earlier record of the same key is still a dead letter`]
      : []),
    ...(incomplete > 0
      ? [
        `${
          count(incomplete)
        } left out: their values are not in the dead-letter topic; list shows their origins`,
      ]
      : []),
    ...(foreign > 0
      ? [`${count(foreign)} left out: their headers do not say which topic they came from`]
      : []),
  ];
  const line = (() => {
    switch (end) {
      case "done":
        return `${count(replayed)} of ${count(meant)} replayed.`;
      case "dry-run":
        return `${count(meant)} would be replayed.`;
      case "interrupted":
        return `Stopped after ${count(replayed)} of ${count(meant)}. The same command goes on from here.`;
      case "canary-came-back":
        return `${canary?.cameBack.length} of ${canary?.sent} canaries came back (${
          [...new Set(canary?.cameBack)].map(printable).join(", ")
        }): the other ${count(meant - replayed)} were not replayed.`;
      case "canary-not-settled":
        return `${canary?.settled} of ${canary?.sent} canaries settled in time: the other ${
          count(meant - replayed)
        } were not replayed.`;
      default:
        return end satisfies never;
    }
  })();
  return [line, ...left].join("\n");
}

/** The last line of `dlq drop`. */
export function dropAsText({ meant, dropped, parked }: DropSummary, dryRun: boolean): string {
  const line = dryRun ? `${count(meant)} would be dropped.` : `${count(dropped)} of ${count(meant)} dropped.`;
  return parked === 0
    ? line
    : `${line}\n${count(parked)} parked behind them stay: replay them to free their keys.`;
}

/** The last line of `dlq take`: what a consumer says that it did. */
export function takenAsText({ at, effect, result, why }: Readonly<Record<string, unknown>>): string {
  switch (result) {
    case "dead-lettered":
      return `${at} is dead-lettered.`;
    case "settled":
      return `${at} is settled: its last attempt succeeded, so it is no dead letter.`;
    case "given-up":
      return `${at} is not dead-lettered: its partition went to another consumer. Ask that one.`;
    default:
      return why === undefined
        ? `${at} is not dead-lettered yet: it will be ${WHEN[String(effect)] ?? "soon"}.`
        : `${at} is not dead-lettered yet: ${why} It is tried again and again.`;
  }
}

const WHEN: Readonly<Record<string, string>> = {
  "after-attempt": "as soon as its attempt in flight has ended, unless that one succeeds",
  "in-turn": "as soon as those before it are settled",
};

/** Where a record in delivery stands, and what was answered last. */
export function heldAsText({ state, attempts, posts, last, said }: HeldRecord): string {
  const made = posts === attempts
    ? `${count(posts)} attempts`
    : `${count(posts)} attempts, ${count(attempts)} counted`;
  const answer = last === null
    ? "no answer yet"
    : `last answer ${printable(last)}${said === null ? "" : ` (${printable(said)})`}`;
  return `${state.replaceAll("_", " ")}, ${made}, ${answer}`;
}

/** A bar of a fixed width with how much is done, how fast, and how long it still takes. */
export function bar(done: number, total: number, elapsedMs: number): string {
  const width = 30;
  const filled = total === 0 ? 0 : Math.round(width * done / total);
  const rate = elapsedMs > 0 ? done * 1000 / elapsedMs : 0;
  const left = rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : "";
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${count(done)}/${count(total)}  ${
    rate.toFixed(0)
  }/s${left}`;
}

const count = (value: number) => value.toLocaleString("en-US");
const shortened = (text: string, most: number) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
