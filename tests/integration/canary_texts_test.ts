// Canary texts: secrets and tickets' words are put in everywhere, and nothing that programs write or show holds one.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { startTask } from "../chaos/stage/tasks.ts";
import { readCommitted } from "../support/kafka/read_committed.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { freePort } from "../support/ports.ts";
import { embeddedPostgres } from "../support/postgres/embedded_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { startWorker } from "../support/processes/worker_process.ts";
import { until } from "../support/until.ts";
import { startStubLlm, type StubRequest } from "../support/workers/stub_llm.ts";

/** Values that are in the environment alone. */
const SECRETS = {
  WORKER_TOKEN: "canary-worker-token-a1b2c3",
  INGRESS_TOKEN: "canary-ingress-token-d4e5f6",
  ADMIN_TOKEN: "canary-admin-token-g7h8i9",
  OPENAI_API_KEY: "sk-canary-provider-key-j1k2l3",
  DEAD_LETTER_SECRET: "canary-letter-secret-m4n5o6",
  DATABASE_PASSWORD: "canary-database-password-p7q8",
} as const;
/** Words of tickets, of headers that came with them, and of calls. */
const WORDS = {
  body: "canarybodywords",
  subject: "canarysubjectwords",
  query: "canaryquerywords",
  header: "canaryheaderwords",
  garbage: "canarygarbagewords",
  guess: "canary-guessed-token-zzz",
} as const;

/** A provider that repeats our key and the ticket in whatever it answers, sometimes with a fault. */
function repeating(request: StubRequest, call: number): Response | undefined {
  const said = `${SECRETS.OPENAI_API_KEY} ${request.messages.map(({ content }) => content).join(" ")}`;
  const error = {
    message: `No: ${said}`,
    code: SECRETS.OPENAI_API_KEY,
    type: "canary",
    param: said.slice(0, 60),
  };
  switch (call % 5) {
    case 0:
      return Response.json({ error }, { status: 500, headers: { "x-echo": SECRETS.OPENAI_API_KEY } });
    case 1:
      return Response.json({ error }, { status: 400 });
    case 2:
      return new Response(said, { status: 200, headers: { "content-type": "text/html" } });
    case 3:
      return Response.json({ error }, { status: 401 });
    default:
      return undefined;
  }
}

const RECORDS = [
  `{"subject":"${WORDS.subject}","body":"${WORDS.body}"}`,
  `{"ticket_id":7,"subject":"${WORDS.subject}","body":"${WORDS.body} error"}`,
  `{"ticket_id":"${WORDS.body}","subject":"${WORDS.subject}","body":1}`,
  `{"subject": ${WORDS.garbage}`,
  WORDS.garbage,
  `{"${WORDS.garbage}":{"a":["${WORDS.body}"]}}`,
];

/** So many of them are refused by the worker itself. */
const REFUSED = 4;

/** Every place where a text is found, as `place: name`. */
function found(place: string, text: string, canaries: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(canaries).flatMap(([name, canary]) => {
    const forms = [
      canary,
      btoa(canary).replace(/=+$/, ""),
      encodeURIComponent(canary),
      JSON.stringify(canary).slice(1, -1),
    ];
    return forms.some((form) => text.toLowerCase().includes(form.toLowerCase())) ? [`${place}: ${name}`] : [];
  });
}

/** Calls of all kinds, good, bad and unasked for; the answers that have no business with a ticket's words. */
async function problemsOf(base: string, token: string): Promise<readonly string[]> {
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(base + path, { redirect: "manual", ...init });
    answers.push(`${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
  };
  const json = { "content-type": "application/json", "x-canary": WORDS.header };
  const auth = { ...json, authorization: `Bearer ${token}` };
  for (const body of RECORDS) {
    await ask(`/classify?q=${WORDS.query}`, { method: "POST", headers: auth, body });
  }
  for (const authorization of [`Bearer ${WORDS.guess}`, `Basic ${btoa(WORDS.guess)}`, WORDS.guess]) {
    await ask("/classify", { method: "POST", headers: { ...json, authorization }, body: RECORDS[0] ?? "" });
  }
  await ask("/classify", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: RECORDS[0] ?? "",
  });
  await ask("/tickets/7/label", {
    method: "PUT",
    headers: auth,
    body: `{"category":"${WORDS.garbage}","by":"x"}`,
  });
  for (
    const path of [
      "/",
      "/readyz?verbose",
      "/metrics",
      "/docs",
      "/openapi.json",
      "/problems/not-json",
      "/livez",
    ]
  ) {
    await ask(path, { headers: auth });
  }
  return answers;
}

Deno.test("no secret and no ticket's words are in logs, metrics, pages, problems or dead letters' headers", async () => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await embeddedPostgres());
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run("insert into tickets (id, subject, body) values (7, 's', 'b')", []);
  await admin.close();
  const llm = startStubLlm({ script: repeating });
  stack.defer(() => llm.stop());
  const url = new URL(database.url);
  url.password = SECRETS.DATABASE_PASSWORD;
  const { WORKER_TOKEN, OPENAI_API_KEY, ADMIN_TOKEN, DEAD_LETTER_SECRET } = SECRETS;
  const tokens = {
    WORKER_TOKEN,
    INGRESS_TOKEN: `classify+read+override:${SECRETS.INGRESS_TOKEN}`,
    LOG_LEVEL: "debug",
  };
  const worker = stack.use(
    await startWorker({ ...tokens, DATABASE_URL: url.href, OPENAI_API_KEY, OPENAI_BASE_URL: llm.baseUrl }),
  );
  const port = String(freePort());
  const ingress = stack.use(
    startTask("ingress", "ingress", { ...tokens, PORT: port, WORKER_URL: worker.url, LOG_FORMAT: "json" }),
  );
  await ingress.waitForLine(({ fields }) => fields["message"] === "listening");
  const kafka = stack.use(await TestKafka.start());
  const scene = await Scene.in(kafka);
  const headers = { own: WORDS.header, "ackpool-reason": WORDS.header };
  await kafka.produce(scene.topic, RECORDS.map((value, n) => ({ key: `k${n}`, value, headers })));
  const consumer = stack.use(scene.consumer([{ url: worker.url } as never], {
    WORKER_TOKEN,
    ADMIN_TOKEN,
    DEAD_LETTER_SECRET,
    MAX_ATTEMPTS: "2",
    LOG_LEVEL: "debug",
  }));
  await consumer.child.waitForLine(({ fields }) => fields["message"] === "listening");
  const answers = [
    ...await problemsOf(worker.url, WORKER_TOKEN),
    ...await problemsOf(`http://127.0.0.1:${port}`, SECRETS.INGRESS_TOKEN),
    ...await problemsOf(consumer.adminUrl, ADMIN_TOKEN),
  ];
  const ends = async () => [...(await kafka.ends(scene.deadLetterTopic)).values()];
  await until("the dead letters", async () => (await ends()).reduce((sum, end) => sum + end, 0) >= REFUSED);
  const all = { ...SECRETS, ...WORDS };
  const letters = await readCommitted(kafka.brokers, scene.deadLetterTopic);
  const ours = letters.flatMap(({ headers }) =>
    Object.entries(headers).filter(([name]) =>
      name.startsWith("ackpool-") && !name.startsWith("ackpool-carried-")
    )
  );
  const hits = [
    ...answers.flatMap((text) => found(`answer ${text.slice(0, 300)}`, text, all)),
    ...[worker.child, ingress, consumer.child].flatMap((child) =>
      child.lines.flatMap(({ text }) => found(`log ${text.slice(0, 300)}`, text, all))
    ),
    ...ours.flatMap(([name, value]) => found(`header ${name}: ${value}`, value, all)),
  ];
  assert.deepEqual(hits, []);
  // They would be found where they are.
  const values = letters.map(({ value }) => value).join();
  assert.ok(found("values", values, WORDS).length >= 3, values);
  assert.ok(answers.length > 40 && llm.calls() > 3);
});
