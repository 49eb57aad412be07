// Lines about labels that were written: ticket, label, confidence and subject, a few at a time.

/** A label that a worker has written. */
export interface WrittenLabel {
  readonly ticketId: string;
  readonly category: string;
  /** 0 to 1; undefined where the model does not say. */
  readonly confidence: number | undefined;
}

/** What label lines need. */
export interface LabelLinesPorts {
  readonly show: (line: string) => void;
  /** Subjects by ticket; a ticket whose subject is not known is left out. */
  readonly subjects: (ticketIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly later: (ms: number, callBack: () => void) => void;
  /** Whether lines may have colours. */
  readonly coloured: boolean;
}

/** Labels are gathered for this time, in ms, so that many subjects take one look. */
const GATHER_MS = 100;
const CATEGORY_WIDTH = 16;
const SUBJECT_MAX = 60;
/** Below this confidence a label is shown as uncertain. */
const UNCERTAIN = 0.6;
const [CYAN, YELLOW, DIM, PLAIN] = ["\x1b[36m", "\x1b[33m", "\x1b[2m", "\x1b[0m"];

/** Lines about labels that were written. */
export class LabelLines {
  readonly #ports: LabelLinesPorts;
  #waiting: WrittenLabel[] = [];
  #shown: Promise<void> = Promise.resolve();

  constructor(ports: LabelLinesPorts) {
    this.#ports = ports;
  }

  add(label: WrittenLabel): void {
    this.#waiting.push(label);
    if (this.#waiting.length === 1) this.#ports.later(GATHER_MS, () => this.flush());
  }

  /** Shows what is gathered. */
  async flush(): Promise<void> {
    const labels = this.#waiting;
    this.#waiting = [];
    if (labels.length > 0) this.#shown = this.#shown.then(() => this.#show(labels));
    await this.#shown;
  }

  async #show(labels: readonly WrittenLabel[]): Promise<void> {
    const none: ReadonlyMap<string, string> = new Map();
    const subjects = await this.#ports.subjects(labels.map(({ ticketId }) => ticketId)).catch(() => none);
    for (const label of labels) {
      this.#ports.show(labelText(label, subjects.get(label.ticketId), this.#ports.coloured));
    }
  }
}

/** `ticket 17 → billing  97%  Charged twice`. */
export function labelText(label: WrittenLabel, subject: string | undefined, coloured: boolean): string {
  const { ticketId, category, confidence } = label;
  const paint = (colour: string, text: string) => coloured && text !== "" ? `${colour}${text}${PLAIN}` : text;
  const sure = confidence === undefined ? "" : `${Math.round(confidence * 100)}%`.padStart(4);
  const colour = confidence !== undefined && confidence < UNCERTAIN ? YELLOW : CYAN;
  const columns = [
    paint(colour, category.padEnd(CATEGORY_WIDTH)),
    paint(confidence !== undefined && confidence < UNCERTAIN ? YELLOW : DIM, sure),
    printable(subject ?? ""),
  ];
  return `ticket ${printable(ticketId)} → ${columns.join("  ")}`.trimEnd();
}

/** A ticket's text on one line, cut, and without anything a terminal would obey. */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length <= SUBJECT_MAX ? line : `${line.slice(0, SUBJECT_MAX - 1)}…`;
}
