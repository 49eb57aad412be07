// Tests of the evaluation: what is asked for, how tickets are run, what the figures and reports say.

import assert from "node:assert/strict";
import { parseEvalArguments } from "../../../local/eval/arguments.ts";
import { mistakesOf, NO_ANSWER } from "../../../local/eval/mistakes.ts";
import { unknownLabels } from "../../../local/eval/unknown_labels.ts";
import { bestTemperature, percentile, statisticsOf, wilsonInterval } from "../../../local/eval/statistics.ts";
import { type JudgedTicket, readLabelledFile } from "../../../local/eval/labelled_file.ts";
import type { LabelAttempt, Labeller } from "../../../local/eval/labellers/labeller.ts";
import { compareVerdicts, exactMcNemar } from "../../../local/eval/mcnemar.ts";
import type { Report } from "../../../local/eval/report/report.ts";
import { reportHtml } from "../../../local/eval/report/report_html.ts";
import { reportText } from "../../../local/eval/report/report_text.ts";
import { runEvaluation, type Verdict } from "../../../local/eval/run.ts";
import { parseSubject } from "../../../local/eval/subject.ts";
import { trainTfidfBaseline } from "../../../local/eval/labellers/tfidf_baseline.ts";

const ticket = (category: string, body = "b", language?: string): JudgedTicket => ({
  subject: "s",
  body,
  category,
  language,
});

const labelled = (
  category: string,
  confidence: number | null = null,
): LabelAttempt & { kind: "labelled" } => ({
  kind: "labelled",
  category,
  confidence,
  inputTokens: 10,
  outputTokens: 2,
  costUsd: 0.01,
});

const verdict = (truth: string, answer: string, ms = 1): Verdict => ({
  ticket: ticket(truth),
  end: labelled(answer, 0.9),
  ms,
});

Deno.test("parseEvalArguments() reads a file, options and two subjects to compare, in any order", () => {
  const args = parseEvalArguments(["--compare", "local", "tfidf", "mine.jsonl", "--min-f1", "0.8", "--json"]);
  assert.deepEqual(args.subjects, ["local", "tfidf"]);
  assert.deepEqual([args.file, args.minF1, args.json, args.concurrency], ["mine.jsonl", 0.8, true, 4]);
  assert.equal(parseEvalArguments(["mine.jsonl", "--compare", "a", "b"]).file, "mine.jsonl");
});

Deno.test("parseEvalArguments() says what is wrong and what the value was", () => {
  assert.throws(() => parseEvalArguments(["--min-f1", "2"]), /--min-f1 is not a number from 0 to 1: .*"2"/);
  assert.throws(() => parseEvalArguments(["--concurrency", "0"]), /--concurrency is not a whole number/);
  assert.throws(() => parseEvalArguments(["--compare", "a"]), /--compare needs two subjects/);
  assert.throws(() => parseEvalArguments(["--compare", "a", "b", "--of", "c"]), /exclude/);
  assert.throws(() => parseEvalArguments(["a.jsonl", "b.jsonl"]), /More than one file/);
  assert.throws(() => parseEvalArguments(["--fast"]), TypeError);
});

Deno.test("parseSubject() tells workers, models, the local model and the yardstick apart", () => {
  assert.equal(parseSubject("http://localhost:8000").kind, "worker");
  assert.equal(parseSubject("local").kind, "local");
  assert.equal(parseSubject("tfidf").kind, "tfidf");
  const subject = parseSubject("gpt-4o-mini,taxonomy=t.json,prompt=p.txt,price=0.15/.6,url=http://x/v1?a=b");
  assert.ok(subject.kind === "model" && subject.model === "gpt-4o-mini");
  assert.deepEqual(subject.asking, {
    taxonomyFile: "t.json",
    promptFile: "p.txt",
    url: "http://x/v1?a=b",
    price: { inputUsd: 0.15, outputUsd: 0.6 },
  });
});

Deno.test("parseSubject() refuses options it does not know and prices it cannot read", () => {
  assert.throws(() => parseSubject("gpt,colour=red"), /"colour=red" is none of/);
  assert.throws(() => parseSubject("gpt,price=cheap"), /A price is written/);
  assert.throws(() => parseSubject("tfidf,price=1/1"), /takes no options/);
  assert.throws(() => parseSubject(""), /no name/);
});

Deno.test("readLabelledFile() reads what it can and names every bad line", () => {
  const { tickets, problems } = readLabelledFile(
    `{"body":"x","category":"bug"}\n\nnot json\n{"body":"y"}\n{"subject":"s","body":"z","category":"a","language":"fr"}`,
  );
  assert.deepEqual(tickets.map(({ subject, language }) => [subject, language]), [["", undefined], [
    "s",
    "fr",
  ]]);
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? "", /^Line 3: is not a JSON object/);
  assert.match(problems[1] ?? "", /^Line 4: category/);
});

const still = { nowMs: () => 0, onProgress: () => {}, signal: new AbortController().signal };

const answering = (label: Labeller["label"]): Labeller => ({ label, close: () => Promise.resolve() });

Deno.test("runEvaluation() comes back after the wait it is told, and gives up after a few calls", async () => {
  const waits: number[] = [];
  const calls = new Map<string, number>();
  const labeller = answering((asked) => {
    const call = (calls.get(asked.body) ?? 0) + 1;
    calls.set(asked.body, call);
    const end: LabelAttempt = asked.body === "patient" && call === 3
      ? labelled("bug")
      : { kind: "wait", waitMs: 700, reason: "status 429" };
    return Promise.resolve(end);
  });
  const sleep = (ms: number) => Promise.resolve(void waits.push(ms));
  const [patient, never] = await runEvaluation(
    [ticket("bug", "patient"), ticket("bug", "never")],
    labeller,
    1,
    {
      ...still,
      sleep,
    },
  );
  assert.equal(patient?.end.kind, "labelled");
  assert.deepEqual(never?.end, { kind: "failed", reason: "status 429" });
  assert.deepEqual(waits, Array.from({ length: 7 }, () => 700));
});

Deno.test("runEvaluation() keeps the tickets' order and never has more calls than asked for at once", async () => {
  let [inFlight, most] = [0, 0];
  const labeller = answering(async (asked) => {
    most = Math.max(most, ++inFlight);
    for (let turn = Number(asked.body) % 3; turn >= 0; turn--) await Promise.resolve();
    inFlight--;
    return labelled(asked.body);
  });
  const tickets = Array.from({ length: 20 }, (_, at) => ticket("bug", String(at)));
  const verdicts = await runEvaluation(tickets, labeller, 3, { ...still, sleep: () => Promise.resolve() });
  assert.deepEqual(verdicts.map(({ ticket: { body } }) => body), tickets.map(({ body }) => body));
  assert.equal(most, 3);
});

Deno.test("runEvaluation() begins nothing after an abort", async () => {
  const stop = new AbortController();
  const labeller = answering(() => {
    stop.abort();
    return Promise.resolve(labelled("bug"));
  });
  const ports = { ...still, signal: stop.signal, sleep: () => Promise.resolve() };
  const verdicts = await runEvaluation([ticket("bug"), ticket("bug"), ticket("bug")], labeller, 1, ports);
  assert.equal(verdicts.length, 1);
});

Deno.test("figuresOf() counts failures as wrong and gives them a column of their own", () => {
  const failed: Verdict = { ticket: ticket("bug"), end: { kind: "failed", reason: "timeout" }, ms: 9 };
  const figures = statisticsOf("x", [verdict("bug", "bug"), failed, verdict("other", "bug")]);
  assert.equal(figures.accuracy, 1 / 3);
  assert.deepEqual(figures.failures, { timeout: 1 });
  assert.deepEqual(figures.confusion, { labels: ["bug", "other", NO_ANSWER], rows: [[1, 0, 1], [1, 0, 0]] });
  assert.deepEqual(figures.tokens, { input: 20, output: 4 });
  assert.equal(figures.costUsd, 0.02);
  assert.equal(figures.latency.p95Ms, 9);
});

Deno.test("figuresOf() says null, not 0, where confidence or price is not known", () => {
  const end = { ...labelled("bug"), costUsd: null };
  const figures = statisticsOf("x", [{ ticket: ticket("bug", "b", "de"), end, ms: 1 }]);
  assert.equal(figures.calibration, null);
  assert.equal(figures.costUsd, null);
  assert.deepEqual(figures.languages, [{ language: "de", tickets: 1, accuracy: 1 }]);
});

Deno.test("bestTemperature() takes an overconfident subject down and a shy one up", () => {
  const answers = (confidence: number, hits: number) =>
    Array.from({ length: 10 }, (_, at) => ({ confidence, right: at < hits }));
  assert.ok(bestTemperature(answers(0.99, 7)) > 2);
  assert.ok(bestTemperature(answers(0.6, 9)) < 0.5);
  assert.ok(Math.abs(bestTemperature(answers(0.8, 8)) - 1) < 0.01);
});

Deno.test("percentile() takes the nearest rank", () => {
  assert.equal(percentile([5, 1, 4, 2, 3], 0.5), 3);
  assert.equal(percentile([1, 2], 0.95), 2);
  assert.equal(percentile([], 0.5), 0);
});

Deno.test("wilsonInterval() gives the textbook's interval for 8 of 10", () => {
  const [low, high] = wilsonInterval(8, 10);
  assert.ok(Math.abs(low - 0.4902) < 0.001 && Math.abs(high - 0.9433) < 0.001, `${low} ${high}`);
});

Deno.test("exactMcNemar() gives the binomial's two-sided p", () => {
  assert.equal(exactMcNemar(0, 0), 1);
  assert.equal(exactMcNemar(5, 5), 1);
  assert.ok(Math.abs(exactMcNemar(1, 9) - 22 / 1024) < 1e-12);
  assert.ok(Math.abs(exactMcNemar(0, 6) - 2 / 64) < 1e-12);
  assert.ok(exactMcNemar(900, 1200) < 1e-9);
});

Deno.test("compareVerdicts() counts who alone is right", () => {
  const first = [verdict("a", "a"), verdict("a", "a"), verdict("a", "b"), verdict("a", "b")];
  const second = [verdict("a", "a"), verdict("a", "b"), verdict("a", "a"), verdict("a", "b")];
  const { bothRight, onlyFirstRight, onlySecondRight, bothWrong, pValue } = compareVerdicts(first, second);
  assert.deepEqual([bothRight, onlyFirstRight, onlySecondRight, bothWrong, pValue], [1, 1, 1, 1, 1]);
});

const report: Report = {
  set: "2 tickets: <script>",
  at: "2026-01-01T00:00:00.000Z",
  concurrency: 4,
  subjects: [
    statisticsOf("first", [verdict("bug", "bug"), verdict("other", "other")]),
    statisticsOf('<img src="x">', [verdict("bug", "bug"), verdict("other", "bug")]),
  ],
  comparison: {
    bothRight: 1,
    onlyFirstRight: 12,
    onlySecondRight: 0,
    bothWrong: 0,
    pValue: exactMcNemar(12, 0),
  },
};

Deno.test("reportText() says accuracy, F1, confusion and who is better", () => {
  const text = reportText(report);
  for (
    const part of [
      "accuracy   100.0%",
      "macro-F1   1.000",
      "truth \\ answer",
      "first is better, beyond chance",
    ]
  ) {
    assert.ok(text.includes(part), part);
  }
});

Deno.test("reportText() calls a small difference chance", () => {
  const comparison = { bothRight: 0, onlyFirstRight: 3, onlySecondRight: 1, bothWrong: 0, pValue: 0.625 };
  assert.match(reportText({ ...report, comparison }), /p = 0\.6250: the difference may well be chance/);
});

Deno.test("reportHtml() draws five pictures for two subjects and lets no name become markup", () => {
  const html = reportHtml(report);
  assert.equal(html.match(/<svg /g)?.length, 5);
  assert.ok(!/<(?:script|img|link|iframe)/.test(html), "nothing is run, and nothing is fetched");
});

Deno.test("trainTfidfBaseline() learns words and is deterministic", () => {
  const labelledTicket = (id: string, body: string, category: "billing" | "bug") => ({
    id,
    subject: "",
    body,
    category,
    language: "en",
    synthetic: true as const,
  });
  const tickets = [
    labelledTicket("1", "refund the invoice", "billing"),
    labelledTicket("2", "it crashes at once", "bug"),
    labelledTicket("3", "refund my money", "billing"),
    labelledTicket("4", "crashes when started", "bug"),
  ];
  const baseline = trainTfidfBaseline(tickets);
  assert.equal(baseline({ subject: "", body: "a refund please" }).category, "billing");
  assert.equal(baseline({ subject: "", body: "always crashes" }).category, "bug");
  const asked = { subject: "x", body: "refund crashes" };
  assert.deepEqual(trainTfidfBaseline(tickets)(asked), baseline(asked));
});

Deno.test("readLabelledFile() reads CSV, also with semicolons and other names, and JSON arrays", () => {
  const expected = [
    { subject: "Refund", body: 'twice,\n"again"', category: "billing", language: undefined },
    { subject: "", body: "It hangs", category: "bug", language: undefined },
  ];
  for (
    const text of [
      'Subject,Body,Category\nRefund,"twice,\n""again""",billing\n,It hangs,bug\n',
      '\ufefftitle;description;label\r\nRefund;"twice,\n""again""";billing\r\n;It hangs;bug\r\n',
      JSON.stringify(expected),
    ]
  ) assert.deepEqual(readLabelledFile(text), { tickets: expected, problems: [] });
  assert.match(readLabelledFile("subject,body\na,b\n").problems[0] ?? "", /^Row 1: category/);
  assert.match(readLabelledFile('subject,body\na,"b\n').problems[0] ?? "", /neither JSON lines nor CSV/);
  assert.match(readLabelledFile("[1,").problems[0] ?? "", /JSON array/);
});

Deno.test("mistakesOf() lists what was wrong, the surest first, in one line each", () => {
  const wrong = (truth: string, answer: string, confidence: number | null): Verdict => ({
    ticket: { ...ticket(truth), body: `line one\nline two ${"x".repeat(300)}` },
    end: labelled(answer, confidence),
    ms: 1,
  });
  const failed: Verdict = { ticket: ticket("bug"), end: { kind: "failed", reason: "timeout" }, ms: 1 };
  const verdicts = [wrong("bug", "other", 0.4), wrong("bug", "bug", 1), wrong("account", "bug", 0.9), failed];
  const mistakes = mistakesOf(verdicts);
  assert.deepEqual(mistakes.map(({ truth, answer, confidence }) => [truth, answer, confidence]), [
    ["account", "bug", 0.9],
    ["bug", "other", 0.4],
    ["bug", NO_ANSWER, null],
  ]);
  assert.match(mistakes[0]?.text ?? "", /^s: line one line two x+…$/);
  const report: Report = {
    set: "mine",
    at: "2026-11-28T00:00:00Z",
    concurrency: 1,
    subjects: [statisticsOf("local", verdicts)],
    comparison: null,
  };
  assert.match(reportText(report), /wrong, the surest first[^]*0\.90 {2}account → bug {2}s: line one/);
  assert.match(reportHtml(report), /account[^]*s: line one line two/);
});

Deno.test("unknownLabels() names labels that the taxonomy lacks, and says when no ticket can be right", () => {
  const tickets = [ticket("bug"), ticket("gardening"), ticket("gardening")];
  assert.equal(unknownLabels("m", tickets, ["bug", "gardening"]), undefined);
  assert.equal(unknownLabels("m", tickets, undefined), undefined);
  const some = unknownLabels("m,price=1/2", tickets, ["bug", "other"]);
  assert.equal(some?.all, false);
  assert.match(
    some?.sentence ?? "",
    /^2 of 3 tickets .*"gardening" × 2\. It has bug, other; .*m,taxonomy=FILE/,
  );
  assert.equal(unknownLabels("m", tickets, ["x"])?.all, true);
});
