// Tickets delivered to real workers over a database under test, as the consumer would: again until a 2xx arrives.

import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import { startWorker, type WorkerProcess } from "../processes/worker_process.ts";
import { startStubLlm, type StubRequest } from "../workers/stub_llm.ts";
import { testDatabase } from "./store_harness.ts";

/** What is delivered, and how. */
export interface Deliveries {
  /** The workers' database. */
  readonly url: string;
  readonly tickets: number;
  /** Each ticket is sent this often at once, as duplicates are. */
  readonly copies?: number;
  /** Called once, when half of the tickets are settled. */
  readonly halfway?: (workers: readonly WorkerProcess[]) => Promise<void>;
  /** Where the labels are counted afterwards, where it is another address. */
  readonly countUrl?: string;
}

/** What came of them. */
export interface DeliveriesResult {
  /** Answers by status; 0 is none. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Calls of the LLM beyond one a ticket. */
  readonly secondCalls: number;
  readonly calledTickets: number;
  readonly labelled: number;
}

const IN_FLIGHT = 40;
const WORKERS = 2;
const LATENCY_MS = 20;
const AGAIN_MS = 200;

/** How many tickets a test delivers; a campaign by hand sets more. */
export const TICKETS = Number(Deno.env.get("ACKPOOL_TEST_TICKETS") ?? 300);

/** Migrates the database, starts two workers and delivers every ticket until it is settled. */
export async function deliverTickets(options: Deliveries): Promise<DeliveriesResult> {
  const { url, tickets, copies = 1, countUrl = url } = options;
  await prepare(url, tickets);
  const calls = new Map<number, number>();
  const llm = startStubLlm({
    latencyMs: LATENCY_MS,
    tail: true,
    script: (request) => void count(calls, request),
  });
  const env = {
    DATABASE_URL: url,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: String(IN_FLIGHT * copies),
  };
  await using stack = new AsyncDisposableStack();
  const workers: WorkerProcess[] = [];
  for (let each = 0; each < WORKERS; each++) workers.push(stack.use(await startWorker(env)));
  const statuses: Record<number, number> = {};
  const deliver = async (ticket: number) => {
    for (let status = 0; status !== 200;) {
      const worker = workers[Math.floor(Math.random() * WORKERS)];
      status = worker === undefined ? 0 : await post(worker, ticket);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  };
  let [next, settled] = [1, 0];
  let halfway: Promise<void> | undefined;
  const deliverAll = async () => {
    while (next <= tickets) {
      const ticket = next++;
      await Promise.all(Array.from({ length: copies }, () => deliver(ticket)));
      if (++settled >= tickets / 2) halfway ??= options.halfway?.(workers);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, deliverAll));
  await halfway;
  await llm.stop();
  const secondCalls = [...calls.values()].reduce((sum, each) => sum + each - 1, 0);
  return { statuses, secondCalls, calledTickets: calls.size, labelled: await labelledIn(countUrl) };
}

async function prepare(url: string, tickets: number): Promise<void> {
  const admin = testDatabase(url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
    [
      tickets,
    ],
  );
  await admin.close();
}

function count(calls: Map<number, number>, { messages }: StubRequest): void {
  const id = Number(/Ticket (\d+):/.exec(messages.at(-1)?.content ?? "")?.[1]);
  calls.set(id, (calls.get(id) ?? 0) + 1);
}

async function post(worker: WorkerProcess, ticket: number): Promise<number> {
  try {
    const body = { ticket_id: ticket, subject: `Ticket ${ticket}:`, body: "I was charged twice" };
    const response = await worker.classify(body, ticket);
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

async function labelledIn(url: string): Promise<number> {
  const admin = testDatabase(url, 1);
  const [row] = await admin.run<{ n: number }>("select count(category)::int as n from tickets", []);
  await admin.close();
  return row?.n ?? 0;
}
