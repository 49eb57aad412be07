// `deno task campaign:payments`: how often a label is paid for twice when answers get lost and replicas are killed.
// Counts the LLM's calls ticket by ticket and explains every one beyond the first.

import { flagsOf } from "../../support/test_command.ts";
import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import { testDatabase } from "../../support/postgres/store_harness.ts";
import { startStubLlm, type StubRequest } from "../../support/workers/stub_llm.ts";
import { startWorker, type WorkerProcess } from "../../support/processes/worker_process.ts";

const values = flagsOf(
  "campaign:payments",
  "How often a label is paid for twice when answers get lost and replicas are killed.",
  {
    tickets: { type: "string", default: "10000" },
    replicas: { type: "string", default: "4" },
    kills: { type: "string", default: "2" },
    "lost-share": { type: "string", default: "0.05" },
    "latency-ms": { type: "string", default: "100" },
    "in-flight": { type: "string", default: "100" },
  },
);
const TICKETS = Number(values.tickets);
const KILLS = Number(values.kills);
const LOST_SHARE = Number(values["lost-share"]);
const IN_FLIGHT = Number(values["in-flight"]);

const say = (text: string): void => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A replica and the tickets it is working on. */
interface Replica {
  process: WorkerProcess;
  readonly tickets: Set<number>;
}

/** How often the LLM was asked about each ticket. */
const callsByTicket = new Map<number, number>();
function count({ messages }: StubRequest): undefined {
  const id = Number(/Ticket (\d+):/.exec(messages.at(-1)?.content ?? "")?.[1]);
  callsByTicket.set(id, (callsByTicket.get(id) ?? 0) + 1);
}

await using database = await RealPostgres.start();
const admin = testDatabase(database.url, 1);
await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
await admin.run(
  "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
  [
    TICKETS,
  ],
);
const llm = startStubLlm({ latencyMs: Number(values["latency-ms"]), tail: true, script: count });
const start = () =>
  startWorker({
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: String(IN_FLIGHT),
  });
const replicas: Replica[] = [];
for (let each = 0; each < Number(values.replicas); each++) {
  replicas.push({ process: await start(), tickets: new Set() });
}

const tally = { settled: 0, lost: 0, held: 0, broken: 0 };
const atKills = new Set<number>();

/** Delivers a ticket as the consumer would: again until a 2xx arrives. A lost answer is thrown away unread. */
async function deliver(ticket: number): Promise<void> {
  for (;;) {
    const replica = replicas[Math.floor(Math.random() * replicas.length)];
    if (replica === undefined) throw new Error("There is no replica");
    replica.tickets.add(ticket);
    const status = await post(replica, ticket);
    replica.tickets.delete(ticket);
    if (status === 200 && Math.random() >= LOST_SHARE) return;
    if (status === 200) tally.lost++;
    else if (status === 409) tally.held++;
    else tally.broken++;
    if (status !== 200) await wait(status === 409 ? 1_000 : 200);
  }
}

async function post({ process }: Replica, ticket: number): Promise<number> {
  try {
    const response = await process.classify(
      { ticket_id: ticket, subject: `Ticket ${ticket}:`, body: "I was charged twice" },
      ticket,
    );
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

async function killOne(at: number): Promise<void> {
  const replica = replicas[at % replicas.length];
  if (replica === undefined) return;
  for (const ticket of replica.tickets) atKills.add(ticket);
  say(`kill -9 of replica ${at % replicas.length} with ${replica.tickets.size} tickets in flight`);
  await replica.process.child.end("SIGKILL");
  replica.process = await start();
}

let next = 1;
const kills: Promise<void>[] = [];
async function deliverAll(): Promise<void> {
  while (next <= TICKETS) {
    await deliver(next++);
    tally.settled++;
    if (kills.length < KILLS && tally.settled > TICKETS * (kills.length + 1) / (KILLS + 1)) {
      kills.push(killOne(kills.length));
    }
  }
}

const startMs = performance.now();
await Promise.all(Array.from({ length: IN_FLIGHT }, deliverAll));
await Promise.all(kills);
const [labelled] = await admin.run<{ n: number }>("select count(category)::int as n from tickets", []);
const [claims] = await admin.run<{ n: number }>("select sum(claims - 1)::int as n from ackpool.labels", []);
const twice = [...callsByTicket].filter(([, calls]) => calls > 1);
const unexplained = twice.filter(([ticket, calls]) => !atKills.has(ticket) || calls > KILLS + 1);

say(
  `${TICKETS} tickets in ${
    Math.round((performance.now() - startMs) / 1000)
  } s, ${labelled?.n} of them labelled`,
);
say(
  `answers lost: ${tally.lost}; told to wait (409): ${tally.held}; broken connections and 5xx: ${tally.broken}`,
);
say(`LLM calls: ${llm.calls()}, ${llm.calls() - TICKETS} more than one a ticket`);
say(
  `tickets in flight at the kills: ${atKills.size}; of these paid for twice: ${
    twice.length - unexplained.length
  }`,
);
say(`claims taken over after a holder's death, by the database: ${claims?.n}`);
say(`calls that nothing explains: ${unexplained.length}`);
for (const { process } of replicas) await process[Symbol.asyncDispose]();
await admin.close();
await llm.stop();
const sound = labelled?.n === TICKETS && unexplained.length === 0 && llm.calls() - TICKETS <= atKills.size;
await database[Symbol.asyncDispose]();
Deno.exit(sound ? 0 : 1);
