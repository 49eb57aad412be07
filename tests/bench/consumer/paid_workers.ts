// Real workers for bad records on real Kafka: a model that answers bad tickets with nothing usable, and counts its calls.

import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import type { Database } from "../../../worker/db/database.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import { testDatabase } from "../../support/postgres/store_harness.ts";
import type { Child } from "../../support/processes/process.ts";
import { startWorker, type WorkerProcess } from "../../support/processes/worker_process.ts";
import { startStubLlm, type StubLlm } from "../../support/workers/stub_llm.ts";
import { until } from "../../support/until.ts";
import type { PlayedWorkers, Settled, Ticket } from "./poison_kafka.ts";

const ROWS = 100_000;
const REFUSAL = "I would rather not say.";

/** Calls that were paid for since the load began. */
export interface CallsPaid {
  good: number;
  bad: number;
  /** For the bad ticket that cost most. */
  most: number;
}

/** See the file's first line. */
export class PaidWorkers implements PlayedWorkers {
  readonly calls: CallsPaid = { good: 0, bad: 0, most: 0 };
  readonly #each = new Map<string, number>();
  #parts: {
    readonly postgres: RealPostgres;
    readonly admin: Database;
    readonly llm: StubLlm;
    readonly workers: readonly WorkerProcess[];
  } | undefined;

  /** Starts database, model and workers. */
  static async start(replicas: number, callsMax: number): Promise<PaidWorkers> {
    const self = new PaidWorkers();
    const postgres = await RealPostgres.start();
    const admin = testDatabase(postgres.url, 2);
    await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
    await admin.run(
      `insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(0, ${ROWS}) g`,
      [],
    );
    const llm = startStubLlm({ script: (asked) => self.#answer(asked.messages.at(-1)?.content ?? "") });
    const workers = await Promise.all(Array.from({ length: replicas }, () =>
      startWorker({
        DATABASE_URL: postgres.url,
        OPENAI_BASE_URL: llm.baseUrl,
        TICKET_CALLS_MAX: String(callsMax),
        LOG_LEVEL: "info",
      })));
    self.#parts = { postgres, admin, llm, workers };
    return self;
  }

  get urls(): readonly string[] {
    return this.#parts?.workers.map(({ url }) => url) ?? [];
  }

  recordOf({ bad, atMs }: Ticket, id: number): string {
    const body = bad ? `Please refuse ticket ${id}` : "I was charged twice this month";
    return JSON.stringify({ ticket_id: id, subject: `${atMs}`, body });
  }

  async first(consumer: Child): Promise<void> {
    await until("the first label", async () => {
      if (consumer.status !== undefined) throw consumer.failure("ended");
      return await this.#labelled(0);
    }, { timeoutMs: 60_000 });
    this.calls.good = 0;
    this.calls.bad = 0;
  }

  async settled(tickets: readonly Ticket[]): Promise<Settled> {
    const rows = await this.#run<{ id: string; at_ms: number }>(
      "select id::text, extract(epoch from classified_at)::double precision * 1000 as at_ms from tickets where category is not null and id > 0",
    );
    const tookMs = rows.map(({ id, at_ms }) => at_ms - (tickets[Number(id) - 1]?.atMs ?? NaN));
    return { tookMs, posts: this.calls.good + this.calls.bad };
  }

  async close(): Promise<void> {
    const { postgres, admin, llm, workers } = this.#parts ?? {};
    await Promise.all(workers?.map((worker) => worker[Symbol.asyncDispose]()) ?? []);
    await llm?.stop();
    await admin?.close();
    await postgres?.[Symbol.asyncDispose]();
  }

  async #answer(prompt: string): Promise<Response | undefined> {
    if (prompt.includes("refuse")) {
      this.calls.bad++;
      const [ticket = ""] = /refuse ticket \d+/.exec(prompt) ?? [];
      const cost = (this.#each.get(ticket) ?? 0) + 1;
      this.#each.set(ticket, cost);
      this.calls.most = Math.max(this.calls.most, cost);
      return Response.json({
        choices: [{ message: { content: REFUSAL } }],
        usage: { prompt_tokens: 400, completion_tokens: 8 },
      });
    }
    if (!prompt.includes("ready")) this.calls.good++;
    await new Promise((resolve) => setTimeout(resolve, 100 + 150 * Math.random()));
    return undefined;
  }

  async #labelled(id: number): Promise<boolean> {
    const [row] = await this.#run(`select from tickets where id = ${id} and category is not null`);
    return row !== undefined;
  }

  async #run<R extends Record<string, unknown>>(statement: string): Promise<readonly R[]> {
    return await this.#parts?.admin.run<R>(statement, []) ?? [];
  }
}
