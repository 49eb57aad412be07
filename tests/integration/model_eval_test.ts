// `deno task eval` as people run it: against a worker's address, the local model and the yardstick.

import assert from "node:assert/strict";

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

const TAXONOMY = JSON.stringify({
  labels: ["billing", "bug", "account", "gardening"].map((name) => ({ name, description: `About ${name}` })),
});

async function evaluate(args: readonly string[], env: Record<string, string> = {}) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/set.jsonl`, FILE);
    await Deno.writeTextFile(`${folder}/taxonomy.json`, TAXONOMY);
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
