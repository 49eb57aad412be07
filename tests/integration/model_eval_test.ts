// `deno task eval` as people run it: against a worker's address, the local model and the yardstick.

import assert from "node:assert/strict";
import { PostgresReviewStore } from "../../worker/db/review_store.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";

const MAIN = new URL("../../local/eval/main.ts", import.meta.url).pathname;

interface EvalReport {
  readonly subjects: readonly {
    readonly subject: string;
    readonly tickets: number;
    readonly macroF1: number;
    readonly accuracy: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly calibration: { readonly ece: number } | null;
    readonly costUsd: number | null;
    readonly tokens: { readonly input: number };
  }[];
  readonly comparison: { readonly pValue: number } | null;
}

const FILE = [
  { subject: "Refund", body: "I was charged twice, refund me", category: "billing" },
  { subject: "Crash", body: "The app crashes with an error on start", category: "bug" },
  { subject: "Password", body: "I can't log in, my password reset never arrives", category: "account" },
].map((line) => JSON.stringify(line)).join("\n");

const CSV = "subject,body,category\nRefund,I was charged twice,billing\nPlants,My roses wither,gardening\n";
const GARDEN = '[{"body": "My roses wither", "category": "gardening"}]';

const TAXONOMY = JSON.stringify({
  labels: ["billing", "bug", "account", "gardening"].map((name) => ({ name, description: `About ${name}` })),
});

async function evaluate(args: readonly string[], env: Record<string, string> = {}) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/set.jsonl`, FILE);
    await Deno.writeTextFile(`${folder}/taxonomy.json`, TAXONOMY);
    await Deno.writeTextFile(`${folder}/set.csv`, CSV);
    await Deno.writeTextFile(`${folder}/garden.json`, GARDEN);
    await Deno.writeTextFile(`${folder}/prompt.txt`, "Words of my own");
    const html = `${folder}/report.html`;
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, ...args, "--html", html],
      cwd: folder,
      env: { OPENAI_API_KEY: "", OPENAI_BASE_URL: "", OPENAI_MODEL: "", ...env },
    }).output();
    const text = new TextDecoder();
    return {
      code: output.code,
      stdout: text.decode(output.stdout),
      stderr: text.decode(output.stderr),
      html: await Deno.readTextFile(html).catch(() => ""),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("eval puts the local model and TF-IDF side by side, figures as JSON and pictures as HTML", async () => {
  const { code, stdout, stderr, html } = await evaluate([
    "set.jsonl",
    "--compare",
    "local",
    "tfidf",
    "--json",
  ]);
  assert.equal(code, 0, stderr);
  const report: EvalReport = JSON.parse(stdout);
  assert.deepEqual(report.subjects.map(({ subject, tickets }) => [subject, tickets]), [["local", 3], [
    "tfidf",
    3,
  ]]);
  assert.equal(report.subjects[0]?.accuracy, 1);
  assert.equal(report.subjects[0]?.costUsd, 0);
  assert.ok((report.subjects[0]?.tokens.input ?? 0) > 300, stdout);
  assert.ok(report.subjects[0]?.calibration !== null && report.comparison !== null);
  assert.equal(html.match(/<svg /g)?.length, 5);
});

Deno.test("eval asks a worker without ticket_id, comes back when it is full, and fails under --min-f1", async () => {
  const asked: { body: Record<string, unknown>; authorization: string | null }[] = [];
  const server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    const body = await request.json();
    asked.push({ body, authorization: request.headers.get("authorization") });
    if (asked.length === 1) return new Response(null, { status: 503, headers: { "retry-after": "0" } });
    if (body.subject === "Password") {
      return Response.json({ type: "/problems/unusable-completion" }, { status: 502 });
    }
    return Response.json({
      category: "billing",
      confidence: 0.8,
      tokens: { input: 7, output: 1 },
      cost_usd: 0.002,
    });
  });
  try {
    const url = `http://localhost:${server.addr.port}`;
    const { code, stdout, stderr } = await evaluate(
      ["set.jsonl", "--of", url, "--json", "--min-f1", "0.9", "--concurrency", "1"],
      { WORKER_TOKEN: "first,second" },
    );
    assert.equal(code, 1, stderr);
    assert.match(stderr, /has a macro-F1 of 0\.\d+, below the 0\.9 asked for/);
    const report: EvalReport = JSON.parse(stdout);
    const [worker] = report.subjects;
    assert.equal(worker?.accuracy, 1 / 3);
    assert.deepEqual(worker?.failures, { "status 502": 1 });
    assert.deepEqual([worker?.tokens.input, worker?.costUsd], [14, 0.004]);
    assert.equal(asked.length, 4);
    assert.ok(asked.every(({ body }) => !("ticket_id" in body)));
    assert.ok(asked.every(({ authorization }) => authorization === "Bearer first"));
  } finally {
    await server.shutdown();
  }
});

Deno.test("eval asks a model through the worker's own prompt, and prices its tokens", async () => {
  const prompts: string[] = [];
  const server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    prompts.push(JSON.stringify(await request.json()));
    return Response.json({
      model: "stub",
      choices: [{ message: { content: '{"category":"bug"}' }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1_000_000, completion_tokens: 500_000 },
    });
  });
  try {
    const url = `http://localhost:${server.addr.port}/v1`;
    const { code, stdout, stderr } = await evaluate([
      "set.jsonl",
      "--of",
      `stub,url=${url},price=1/2`,
      "--json",
    ]);
    assert.equal(code, 0, stderr);
    const report: EvalReport = JSON.parse(stdout);
    assert.equal(report.subjects[0]?.costUsd, 6);
    assert.equal(report.subjects[0]?.calibration, null);
    assert.equal(prompts.length, 3);
    assert.ok(prompts.every((prompt) => prompt.includes("<ticket>") && prompt.includes("feature_request")));
  } finally {
    await server.shutdown();
  }
});

Deno.test("eval puts two prompts and taxonomies side by side", async () => {
  const prompts: string[] = [];
  const server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    const prompt = JSON.stringify(await request.json());
    prompts.push(prompt);
    const category = prompt.includes("Words of my own") ? "account" : "gardening";
    return Response.json({
      model: "stub",
      choices: [{ message: { content: `{"category":"${category}"}` } }],
    });
  });
  try {
    const stub = `stub,url=http://localhost:${server.addr.port}/v1,taxonomy=taxonomy.json`;
    const { code, stdout, stderr } = await evaluate(
      ["set.jsonl", "--compare", stub, `${stub},prompt=prompt.txt`, "--json"],
      { MODEL_PRICES: "other=1/1" },
    );
    assert.equal(code, 0, stderr);
    const report: EvalReport = JSON.parse(stdout);
    assert.deepEqual(report.subjects.map(({ accuracy }) => accuracy), [0, 1 / 3]);
    assert.equal(report.subjects[0]?.costUsd, null);
    assert.equal(report.comparison?.pValue, 1);
    assert.ok(prompts.every((prompt) => prompt.includes("gardening")), "the enum is the taxonomy's");
    assert.equal(prompts.filter((prompt) => prompt.includes("Words of my own")).length, 3);
    assert.equal(prompts.filter((prompt) => prompt.includes("About gardening")).length, 3);
  } finally {
    await server.shutdown();
  }
});

Deno.test("eval says in a line what is wrong with its arguments or its file", async () => {
  const bad = await evaluate(["--min-f1", "high"]);
  assert.notEqual(bad.code, 0);
  assert.match(bad.stderr, /--min-f1 is not a number from 0 to 1: current value is "high"/);
  const missing = await evaluate(["nowhere.jsonl", "--of", "tfidf"]);
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /Cannot read nowhere\.jsonl/);
  const keyless = await evaluate(["set.jsonl", "--of", "gpt-4o-mini"]);
  assert.match(keyless.stderr, /gpt-4o-mini needs OPENAI_API_KEY/);
});

Deno.test("eval ends with 1 where tickets have labels that the taxonomy lacks, and asks nothing where all have", async () => {
  const some = await evaluate(["set.csv", "--of", "tfidf"]);
  assert.equal(some.code, 1);
  assert.match(some.stderr, /1 of 2 tickets have labels that the taxonomy of tfidf lacks: "gardening" × 1/);
  assert.match(some.stdout, /wrong, the surest first[^]*gardening → .*Plants: My roses wither/);
  const none = await evaluate(["garden.json", "--of", "tfidf"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /1 of 1 tickets have labels/);
  assert.equal(none.stdout, "");
});

Deno.test("eval --from-overrides judges against what people decided", async () => {
  await using fresh = await bestDatabase();
  const none = await evaluate(["--from-overrides", "--of", "tfidf"], { DATABASE_URL: fresh.url });
  assert.deepEqual([none.code, /could not be read/.test(none.stderr)], [1, true]);
  const database = testDatabase(fresh.url, 1);
  await migrate(database, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await database.run(
    "insert into tickets (id, subject, body) select g, 'Refund ' || g, 'I was charged twice, refund me' from generate_series(1, 3) g",
    [],
  );
  const reviews = new PostgresReviewStore(new TableCatalog(database, DEFAULT_TICKETS_TABLE));
  for (const [ticketId, category] of [["1", "billing"], ["2", "bug"]] as const) {
    await reviews.override({ ticketId, category, by: "ada", reason: null });
  }
  const { code, stdout, stderr } = await evaluate(["--from-overrides", "--of", "tfidf", "--json"], {
    DATABASE_URL: fresh.url,
  });
  assert.equal(code, 0, stderr);
  const [{ tickets, accuracy, mistakes }] = JSON.parse(stdout).subjects;
  assert.deepEqual([tickets, accuracy], [2, 0.5]);
  assert.deepEqual([mistakes[0].truth, mistakes[0].answer], ["bug", "billing"]);
  assert.match(mistakes[0].text, /^Refund 2: I was charged/);
  await database.close();
});
