// Targets of raw requests: a worker, an ingress and a consumer's admin port as processes, with tokens or without.

import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import { startTask } from "../../chaos/stage/tasks.ts";
import { freePort } from "../../support/ports.ts";
import { embeddedPostgres } from "../../support/postgres/embedded_postgres.ts";
import { testDatabase } from "../../support/postgres/store_harness.ts";
import { TestKafka } from "../../support/kafka/test_kafka.ts";
import { Scene } from "../../support/processes/consumer_process.ts";
import type { Child } from "../../support/processes/process.ts";
import { startWorker } from "../../support/processes/worker_process.ts";
import { startStubLlm } from "../../support/workers/stub_llm.ts";
import { StubWorker } from "../../support/workers/stub_worker.ts";
import { TOKENS } from "../attack.ts";
import type { GoodRequest } from "./raw_requests.ts";

/** What is attacked. */
export interface RawTarget {
  readonly name: string;
  readonly port: number;
  readonly child: Child;
  readonly good: readonly GoodRequest[];
}

const JSON_FIELDS = ["Host: 127.0.0.1", "Content-Type: application/json"];
const TICKET = '{"subject":"Invoice","body":"I was charged twice"}';
const STORED = '{"ticket_id":7,"subject":"Invoice","body":"I was charged twice"}';

function requests(
  token: string,
  all: readonly (readonly [string, string, string?])[],
): readonly GoodRequest[] {
  const fields = [...JSON_FIELDS, `Authorization: Bearer ${token}`];
  return all.map(([method, path, body = ""]) => ({ method, path, fields, body }));
}

const WORKER_REQUESTS = [
  ["POST", "/classify", TICKET],
  ["POST", "/classify", STORED],
  [
    "POST",
    "/classify/batch",
    '{"key":"\\"t/0/1\\"","timestamp":1,"attempt":1,"deadlineMs":9000,"value":"{}"}\n',
  ],
  ["PUT", "/tickets/7/label", '{"category":"other","by":"CEO"}'],
  ["GET", "/tickets/7"],
  ["GET", "/review?limit=5"],
  ["GET", "/readyz?verbose"],
  ["GET", "/livez"],
  ["GET", "/metrics"],
  ["GET", "/openapi.json"],
  ["GET", "/"],
  ["GET", "/problems/not-json"],
  ["GET", "/login?next=/review"],
  ["POST", "/login", "token=wrong&next=/"],
  ["POST", "/logout"],
] as const;

const ADMIN_REQUESTS = [
  ["GET", "/dead-letters?limit=5"],
  ["POST", "/dead-letters/drop", '{"everything":true,"dry_run":true}'],
  ["POST", "/dead-letters/replay", '{"filter":{"statuses":["422"]},"dry_run":true}'],
  ["POST", "/dead-letters/allow", '{"count":1}'],
  ["DELETE", "/dead-letters/replay"],
  ["GET", "/dead-letters/t.g.dlq/0/1"],
  ["GET", "/parked"],
  ["GET", "/records/t/0/1"],
  ["POST", "/records/t/0/1/dead-letter", "{}"],
  ["GET", "/readyz?verbose"],
  ["GET", "/metrics"],
  ["GET", "/scale"],
  ["GET", "/"],
  ["GET", "/login"],
  ["POST", "/login", "token=wrong"],
  ["GET", "/page/live/now"],
  ["GET", "/state/records?topic=t"],
  ["GET", "/why"],
] as const;

/** Good requests with the tokens that they need. */
export const INGRESS_GOOD = requests(TOKENS.decides, WORKER_REQUESTS);
export const ADMIN_GOOD = requests(TOKENS.admin, ADMIN_REQUESTS);

/** Starts all three; they end with the stack. @param withTokens whether they ask for tokens; the good requests have them. */
export async function startTargets(
  stack: AsyncDisposableStack,
  withTokens: boolean,
): Promise<readonly RawTarget[]> {
  const tokens: Record<string, string> = withTokens
    ? { WORKER_TOKEN: TOKENS.delivery, INGRESS_TOKEN: `classify+read+override:${TOKENS.decides}` }
    : {};
  const database = stack.use(await embeddedPostgres());
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run("insert into tickets (id, subject, body) values (7, 's', 'b')", []);
  await admin.close();
  const llm = startStubLlm();
  stack.defer(() => llm.stop());
  const worker = stack.use(
    await startWorker({
      DATABASE_URL: database.url,
      OPENAI_BASE_URL: llm.baseUrl,
      WORKER_CONCURRENCY: "64",
      ...tokens,
    }),
  );
  return [
    {
      name: "worker",
      port: Number(new URL(worker.url).port),
      child: worker.child,
      good: requests(TOKENS.delivery, WORKER_REQUESTS),
    },
    await startIngress(stack, worker.url, tokens),
    await startAdmin(stack, withTokens),
  ];
}

async function startIngress(
  stack: AsyncDisposableStack,
  workerUrl: string,
  tokens: Readonly<Record<string, string>>,
): Promise<RawTarget> {
  const port = freePort();
  const child = stack.use(startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: workerUrl,
    WORKER_CONCURRENCY: "64",
    INGRESS_RATE_PER_MINUTE: "1000000",
    LOG_FORMAT: "json",
    ...tokens,
  }));
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  return { name: "ingress", port, child, good: INGRESS_GOOD };
}

async function startAdmin(stack: AsyncDisposableStack, withToken: boolean): Promise<RawTarget> {
  const kafka = stack.use(await TestKafka.start());
  const scene = await Scene.in(kafka);
  const stub = stack.use(new StubWorker());
  const consumer = stack.use(scene.consumer([stub], withToken ? { ADMIN_TOKEN: TOKENS.admin } : {}));
  await consumer.untilReady();
  const port = Number(new URL(consumer.adminUrl).port);
  return { name: "admin", port, child: consumer.child, good: ADMIN_GOOD };
}
