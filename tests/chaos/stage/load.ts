// The tickets of a campaign: rows in Postgres and records in Kafka, each ticket with words of its own.

import { Kafka, logLevel } from "kafkajs";
import postgres from "postgres";

const CHUNK = 500;
const CONCERNS = [
  "I was charged twice for the same month",
  "The export stops with an error at 40%",
  "Could you add a dark theme to the report page?",
  "I cannot sign in since I changed my e-mail address",
  "Where do I find last year's conference slides?",
];

/** How many tickets lack a label, and how many there are. */
export interface LabelCount {
  readonly tickets: number;
  readonly unlabelled: number;
}

/** Creates an empty database beside the one of `url` and returns its URL. */
export async function createDatabase(url: string, name: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`create database ${sql(name)}`.finally(() => sql.end());
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}

/** Inserts the tickets `from` to `to` without labels. */
export async function insertTickets(url: string, from: number, to: number): Promise<void> {
  const sql = postgres(url, { max: 1 });
  try {
    for (let first = from; first <= to; first += CHUNK) {
      const rows = numbers(first, Math.min(to, first + CHUNK - 1)).map(ticket);
      await sql`insert into tickets ${sql(rows, "id", "subject", "body")}`;
    }
  } finally {
    await sql.end();
  }
}

/** Produces a record for each of the tickets `from` to `to`, spread evenly over the partitions. */
export async function produceTickets(
  { brokers, topic, partitions, from, to }: {
    readonly brokers: string;
    readonly topic: string;
    readonly partitions: number;
    readonly from: number;
    readonly to: number;
  },
): Promise<void> {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  try {
    for (let first = from; first <= to; first += CHUNK) {
      const messages = numbers(first, Math.min(to, first + CHUNK - 1)).map((id) => {
        const { subject, body } = ticket(id);
        const value = JSON.stringify({ ticket_id: id, subject, body });
        return { key: `customer-${id % 97}`, value, partition: id % partitions };
      });
      await producer.send({ topic, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}

/** Counts the tickets and those without a label. */
export async function countLabels(url: string): Promise<LabelCount> {
  const sql = postgres(url, { max: 1 });
  const rows = await sql<LabelCount[]>`
    select count(*)::int as tickets, (count(*) filter (where category is null))::int as unlabelled from tickets
  `.finally(() => sql.end());
  const [count] = rows;
  if (count === undefined) throw new Error("count(*) returned no row");
  return { ...count };
}

function ticket(id: number): { readonly id: number; readonly subject: string; readonly body: string } {
  const concern = CONCERNS[id % CONCERNS.length] ?? "";
  return { id, subject: `Case ${id}`, body: `${concern}. My customer number is ${id}.` };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
