// The sender of tickets: in chunks, rows before records, so that no record comes before its row.

import type { OutgoingRecord } from "../../consumer/kafka/producers/topic_producer.ts";
import type { TicketLine } from "./tickets/ticket_line.ts";
import type { Inserted, TicketRow } from "./ticket_rows.ts";

type TicketOfLine = Extract<TicketLine, { kind: "ticket" }>;

/** Where tickets go. */
export interface TicketSenderPorts {
  /** Resolves when so many bytes may be sent. */
  readonly room: (bytes: number) => Promise<void>;
  readonly send: (records: readonly OutgoingRecord[]) => Promise<void>;
  /** Absent where no rows are asked for. */
  readonly insert?: (rows: readonly TicketRow[]) => Promise<Inserted[]>;
  readonly onProgress: (summary: SendSummary) => void;
  readonly onBad: (line: number, problem: string) => void;
  /** Nothing is sent any more once it has fired. */
  readonly signal: AbortSignal;
}

/** What was done. */
export interface SendSummary {
  readonly sent: number;
  readonly bytes: number;
  /** Rows that were not there before. */
  readonly inserted: number;
  readonly bad: number;
}

const CHUNK_BYTES_MAX = 256 * 1024;
const CHUNK_TICKETS_MAX = 500;
/** What a record takes on top of its text: key, timestamp, lengths. */
const RECORD_OVERHEAD_BYTES = 100;

const encoder = new TextEncoder();

/** Sends every good line; bad ones are reported and counted. Throws when Kafka or the database fails. */
export async function sendTickets(
  lines: AsyncIterable<TicketLine> | Iterable<TicketLine>,
  ports: TicketSenderPorts,
): Promise<SendSummary> {
  const sending = new TicketSender(ports);
  for await (const line of lines) {
    if (ports.signal.aborted) return sending.summary;
    await sending.add(line);
  }
  await sending.flush();
  return sending.summary;
}

class TicketSender {
  readonly #ports: TicketSenderPorts;
  #chunk: TicketOfLine[] = [];
  #chunkBytes = 0;
  #summary: SendSummary = { sent: 0, bytes: 0, inserted: 0, bad: 0 };

  constructor(ports: TicketSenderPorts) {
    this.#ports = ports;
  }

  get summary(): SendSummary {
    return this.#summary;
  }

  async add(line: TicketLine): Promise<void> {
    if (line.kind === "bad") return this.#bad(line.line, line.problem);
    if (line.ticket.ticket_id === undefined) {
      return this.#bad(line.line, "ticket_id: is missing, and the label would have nowhere to go");
    }
    const bytes = sizeOf(line);
    const full = this.#chunk.length >= CHUNK_TICKETS_MAX || this.#chunkBytes + bytes > CHUNK_BYTES_MAX;
    if (full) await this.flush();
    this.#chunk.push(line);
    this.#chunkBytes += bytes;
  }

  async flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#chunkBytes = 0;
    const good = await this.#insert(chunk);
    await this.#send(good);
    this.#ports.onProgress(this.#summary);
  }

  async #insert(chunk: readonly TicketOfLine[]): Promise<readonly TicketOfLine[]> {
    if (this.#ports.insert === undefined || chunk.length === 0) return chunk;
    const rows = chunk.map(({ ticket: { ticket_id: id = "", subject, body } }) => ({ id, subject, body }));
    const results = await this.#ports.insert(rows);
    return chunk.filter((line, at) => {
      const result = results[at] ?? "there_already";
      if (typeof result === "object") this.#bad(line.line, result.problem);
      else if (result === "new") this.#count({ inserted: 1 });
      return typeof result === "string";
    });
  }

  async #send(lines: readonly TicketOfLine[]): Promise<void> {
    if (lines.length === 0) return;
    const bytes = lines.reduce((sum, line) => sum + sizeOf(line), 0);
    await this.#ports.room(bytes);
    if (this.#ports.signal.aborted) return;
    try {
      await this.#ports.send(lines.map(recordOf));
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const [only, ...others] = lines;
      if (only !== undefined && others.length === 0) {
        return this.#bad(only.line, "is larger than the broker takes");
      }
      for (const line of lines) await this.#send([line]);
      return;
    }
    this.#count({ sent: lines.length, bytes });
  }

  #bad(line: number, problem: string): void {
    this.#count({ bad: 1 });
    this.#ports.onBad(line, problem);
  }

  #count(more: Partial<SendSummary>): void {
    const { sent, bytes, inserted, bad } = this.#summary;
    this.#summary = {
      sent: sent + (more.sent ?? 0),
      bytes: bytes + (more.bytes ?? 0),
      inserted: inserted + (more.inserted ?? 0),
      bad: bad + (more.bad ?? 0),
    };
  }
}

function recordOf({ ticket: { ticket_id: id }, text }: TicketOfLine): OutgoingRecord {
  return { key: id === undefined ? null : String(id), value: text };
}

function sizeOf({ text }: TicketOfLine): number {
  return encoder.encode(text).length + RECORD_OVERHEAD_BYTES;
}

function isTooLarge(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: { type?: string } };
  return (type ?? cause?.type) === "MESSAGE_TOO_LARGE";
}
