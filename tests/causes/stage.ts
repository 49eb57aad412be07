// Stage for planted troubles: a consumer and a worker as processes, a database and a provider behind wires that can be cut.

import type { WhyJson } from "../../consumer/core/why/why.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { CutWire } from "../support/cut_wire.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { freePort } from "../support/ports.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { type ConsumerProcess, Scene } from "../support/processes/consumer_process.ts";
import { startWorker, type WorkerProcess } from "../support/processes/worker_process.ts";
import {
  scriptedCompletion,
  type ScriptedRequest,
  startScriptedProvider,
} from "../support/workers/scripted_provider.ts";
import type { Watched } from "./trouble.ts";

const TICKETS = 5000;
/** Time between two tickets, in ms. */
const TICKET_EVERY_MS = 150;

/** Tickets whose text has this word are refused by the provider while {@link Stage.refusesWord} is set. */
export const REFUSED_WORD = "forbidden";

/** Everything that a trouble may be planted in. `await using` ends it. */
export class Stage implements Watched {
  readonly #stack = new AsyncDisposableStack();
  #next = 1;
  #feeding: ReturnType<typeof setInterval> | undefined;
  #worker: WorkerProcess | undefined;
  /** Answers instead of the provider while it is set. */
  refusal: (() => Response) | undefined;
  refusesWord = false;

  private constructor(
    readonly scene: Scene,
    readonly consumer: ConsumerProcess,
    readonly database: CutWire,
    readonly provider: CutWire,
    readonly sql: (statement: string) => Promise<unknown>,
    readonly databaseUrl: string,
    readonly workerPort: number,
    stack: AsyncDisposableStack,
  ) {
    this.#stack.use(stack);
  }

  static async open(): Promise<Stage> {
    const stack = new AsyncDisposableStack();
    const kafka = stack.use(await TestKafka.start());
    const real = stack.use(await bestDatabase());
    const admin = testDatabase(real.url, 1);
    stack.defer(() => admin.close());
    await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
    await admin.run(
      "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
      [TICKETS],
    );
    const database = stack.use(new CutWire(targetOf(real.url)));
    const url = new URL(real.url);
    url.port = String(database.port);
    // deno-lint-ignore prefer-const
    let stage: Stage | undefined;
    const llm = stack.use(startScriptedProvider({ script: (request) => stage?.answer(request) }));
    const provider = stack.use(new CutWire(targetOf(llm.baseUrl)));
    const scene = await Scene.in(kafka);
    const port = freePort();
    const consumer = stack.use(scene.consumer([], { WORKER_URL: `http://127.0.0.1:${port}` }));
    stage = new Stage(
      scene,
      consumer,
      database,
      provider,
      (text) => admin.run(text, []),
      url.href,
      port,
      stack,
    );
    await stage.#start();
    return stage;
  }

  /** Starts a worker, and tickets that come all the time. */
  async #start(): Promise<void> {
    await this.startWorker();
    this.feed();
    await this.consumer.untilReady(60_000);
  }

  /** Tickets come again. */
  feed(): void {
    this.#feeding ??= setInterval(() => void this.produce([this.ticket()]).catch(() => {}), TICKET_EVERY_MS);
  }

  /** No ticket comes by itself any more. */
  stopFeeding(): void {
    clearInterval(this.#feeding);
    this.#feeding = undefined;
  }

  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#worker = await startWorker({
      PORT: String(this.workerPort),
      DATABASE_URL: this.databaseUrl,
      OPENAI_BASE_URL: `http://127.0.0.1:${this.provider.port}/v1`,
      OPENAI_API_KEY: "sk-test",
      ...env,
    });
  }

  async stopWorker(): Promise<void> {
    await this.#worker?.child.end("SIGKILL", 10_000);
    this.#worker = undefined;
  }

  /** The next ticket as a record. */
  ticket(text = "I was charged twice"): string {
    return JSON.stringify({ ticket_id: this.#next++, subject: "Invoice", body: text });
  }

  async produce(values: readonly string[]): Promise<void> {
    await this.scene.produce(values);
  }

  async why(): Promise<WhyJson> {
    return await (await fetch(`${this.consumer.adminUrl}/why`)).json();
  }

  answer(request: ScriptedRequest): Response {
    const text = JSON.stringify(request.messages);
    if (this.refusesWord && text.includes(REFUSED_WORD)) {
      return Response.json({ error: { message: "not for this tenant", code: "permission_denied" } }, {
        status: 403,
      });
    }
    return this.refusal?.() ?? scriptedCompletion(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopFeeding();
    await this.stopWorker();
    await this.#stack[Symbol.asyncDispose]();
  }
}

function targetOf(url: string): Deno.ConnectOptions {
  const { hostname, port } = new URL(url);
  return { hostname, port: Number(port) };
}
