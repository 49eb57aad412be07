// What people see of the children's logs: labels, and warnings that are not repeated; with --verbose, every line.

import type { ChildFailedError } from "../processes/child.ts";
import { type ChildLine, readable } from "../processes/child_output.ts";
import { DeadLetterNotices } from "./dead_letter_notices.ts";
import { labelIn } from "./commands.ts";
import { LabelLines, type LabelLinesPorts } from "./label_lines.ts";
import { LabelProgress } from "./label_progress.ts";
import type { UpGroup } from "./replicas/scaling_loop.ts";
import type { Terminal } from "../terminal.ts";

type Subjects = LabelLinesPorts["subjects"];

/** The same warning of the same part is shown once in this time. */
const QUIET_MS = 10_000;

/** Turns log lines of the children into lines for people; repeated warnings are shown once. */
export class Reporter {
  readonly #screen: Terminal;
  readonly #verbose: boolean;
  readonly #nowMs: () => number;
  readonly #shownMs = new Map<string, number>();
  readonly #crashes = new Map<string, string>();
  readonly #deadLetters: DeadLetterNotices;
  readonly #lines: LabelLines;
  readonly #progress = new LabelProgress();
  #subjects: Subjects = () => Promise.resolve(new Map());
  #labels = 0;
  #quiet = false;

  constructor(screen: Terminal, verbose: boolean, nowMs: () => number) {
    this.#screen = screen;
    this.#verbose = verbose;
    this.#nowMs = nowMs;
    const later = (ms: number, callBack: () => void) => Deno.unrefTimer(setTimeout(callBack, ms));
    this.#deadLetters = new DeadLetterNotices({ show: (line) => this.#quiet || screen.line(line), later });
    this.#lines = new LabelLines({
      show: (line) => screen.line(line),
      subjects: (ids) => this.#subjects(ids),
      later,
      coloured: screen.coloured,
    });
  }

  /** Labels that were written so far. */
  get labels(): number {
    return this.#labels;
  }

  /** From now on warnings are expected, as everything is being stopped. */
  mute(): void {
    this.#quiet = true;
  }

  onLine(name: string, line: ChildLine): void {
    if (this.#verbose) this.#screen.line(`${name} | ${readable(line)}`);
    const label = labelIn(line);
    if (label !== undefined) {
      this.#labels++;
      this.#lines.add(label);
    }
    if (line.kind !== "event") return;
    if (name === "model" && line.message === "training") {
      this.#screen.going("model", training(line.properties));
    }
    // Not of replicas either; see below.
    const isOwn = line.properties["after"] === "no-replica";
    if (line.message === "delivery goes on" && !isOwn && !this.#verbose && !this.#quiet) {
      this.#screen.line(`${name}: ${readable(line)}`);
    }
    if (line.level === "warning" || line.level === "error") this.#warn(name, line);
  }

  /** From now on labels are shown with their tickets' subjects. */
  showSubjects(subjects: Subjects): void {
    this.#subjects = subjects;
  }

  /** Shows what labels are still gathered. */
  async flush(): Promise<void> {
    await this.#lines.flush();
  }

  /** So many tickets are to be labelled. */
  backlog(tickets: number): void {
    const text = this.#progress.text(this.#labels, tickets, this.#nowMs());
    if (text === undefined || this.#quiet) this.#screen.done("labels");
    else this.#screen.drawing("labels", text);
  }

  /** The wanted number of replicas has changed. */
  scaled(before: number, wanted: number, why: string): void {
    this.#screen.line(`replicas ${before} → ${wanted} (${why})`);
  }

  /** A replica is up: a line for the first one and one when all are up. */
  replicaUp(number: number, tookMs: number, { up, wanted, sinceMs }: UpGroup): void {
    if (up === 1) this.#screen.line(`replica ${number} up after ${seconds(tookMs)} s`);
    else if (up === wanted) this.#screen.line(`${up} replicas up after ${seconds(sinceMs)} s`);
  }

  crashed(name: string, why: ChildFailedError, pauseMs: number): void {
    const text = failureText(why);
    // A part that fails at every start fails with the same stack trace each time.
    const shown = text.includes("\n") && this.#crashes.get(name) === text ? "the same again" : text;
    this.#crashes.set(name, text);
    this.#screen.line(`! ${name}: ${shown}; starting again in ${pauseMs / 1000} s`);
  }

  #warn(name: string, line: ChildLine & { kind: "event" }): void {
    if (this.#verbose || this.#quiet) return;
    if (line.message === "dead-lettered") return this.#deadLetters.add(String(line.properties["reason"]));
    const { said, cause, reason } = line.properties;
    // Replicas come and go by the backlog here, and their crashes are told.
    if (cause === "no-replica") return;
    // The same words of another cause are another warning.
    const key = JSON.stringify([name, line.message, said, cause, reason]);
    const shownMs = this.#shownMs.get(key);
    if (shownMs !== undefined && this.#nowMs() - shownMs < QUIET_MS) return;
    this.#shownMs.set(key, this.#nowMs());
    this.#screen.line(`! ${name}: ${readable(line)}`);
  }
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);

/** The last lines of a part that failed, or its exit code where it wrote none. */
export function failureText(why: ChildFailedError): string {
  const lines = why.lastLines.map((line) => line.replace(/^ackpool: /, "").trim()).filter((line) =>
    line !== ""
  );
  return lines.length === 0 ? `ended with code ${why.code}` : lines.join("\n  ");
}

function training({ embedded, total }: Readonly<Record<string, unknown>>): string {
  return total === undefined ? "training" : `training, ${embedded} of ${total} examples`;
}
