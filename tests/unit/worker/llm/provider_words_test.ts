// Tests of what of a provider's answer gets out: whatever it says, and wherever, it is short, plain and holds no secret.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Lesson, Usage } from "../../../../worker/core/llm.ts";
import { promptWriter } from "../../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../../worker/core/taxonomy.ts";
import { failureResponse } from "../../../../worker/http/failure_responses.ts";
import { singleLabeller } from "../../../../worker/labelling/labeller.ts";
import { type LlmEvents, openaiLlm } from "../../../../worker/llm/client.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };

const KEY = "sk-live-0123456789abcdef";
const TOKEN = "worker-token-42";
const taxonomy = parseTaxonomy(defaultTaxonomy);

/** Everything that anybody sees or stores of one ticket that this provider answers. */
async function shownOf(respond: () => Response): Promise<readonly unknown[]> {
  const real = globalThis.fetch;
  const shown: unknown[] = [];
  const events: LlmEvents = {
    onRateLimit: (headers) => shown.push(headers),
    onBilled: (usage: Usage) => shown.push(usage),
    onLesson: (lesson: Lesson) => shown.push(lesson),
    onShutdown: (shutdown) => shown.push(shutdown),
  };
  globalThis.fetch = () => Promise.resolve(respond());
  try {
    const llm = openaiLlm({
      apiKey: KEY,
      secrets: [TOKEN],
      baseUrl: "http://provider.test/v1",
      model: "asked",
      timeoutMs: 5_000,
    }, events);
    const labeller = singleLabeller({ llm, taxonomy, prompts: promptWriter(taxonomy) });
    const labelling = await labeller.label({ subject: "Invoice", body: "twice" }, undefined);
    shown.push(labelling, await llm.check(), ...llm.lessons());
    if (labelling.kind === "llm_failed") shown.push(await failureResponse(labelling).text());
  } finally {
    globalThis.fetch = real;
  }
  return shown;
}

const spellings = [
  KEY,
  KEY.toUpperCase(),
  `x${TOKEN}x`,
  [...KEY].join("\u200b"),
  btoa(KEY),
  KEY.replaceAll("-", "\\u002d"),
];
const nasty = fc.oneof(
  fc.constantFrom(
    ...spellings,
    "a\u0000b",
    "\u202egnp.exe",
    "x\nforged line",
    "model_not_found",
    "temperature",
    "é",
  ),
  fc.string({ maxLength: 30 }),
  fc.constantFrom(1, 200).map((kilobytes) => "m".repeat(kilobytes * 1000)),
);
const errors = fc.record({
  error: fc.record({ code: nasty, type: nasty, param: nasty, message: nasty }, { requiredKeys: [] }),
});
const completions = fc.record({
  model: nasty,
  usage: fc.option(fc.record({ prompt_tokens: fc.integer(), completion_tokens: fc.double() }), {
    nil: undefined,
  }),
  choices: fc.array(
    fc.record({
      finish_reason: nasty,
      message: fc.record({
        content: fc.oneof(
          nasty,
          fc.record({
            category: fc.constantFrom("bug", KEY),
            language: fc.constantFrom("en", KEY.slice(0, 8), KEY),
            reason: nasty,
          }).map((label) => JSON.stringify(label)),
        ),
      }),
    }),
    { maxLength: 2 },
  ),
  error: fc.option(errors, { nil: undefined }),
});
const answers = fc.record({
  status: fc.constantFrom(200, 200, 200, 400, 401, 403, 404, 422, 429, 500, 503),
  body: fc.oneof(completions, errors, nasty),
  header: fc.constantFrom("x-ratelimit-remaining-requests", "retry-after", "ratelimit-policy"),
  value: fc.constantFrom(KEY, `1;${TOKEN}`, "7", "x".repeat(4_000)),
});

/** All texts in a value, JSON texts read. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)]);
}

function assertFit(shown: readonly unknown[]): void {
  for (const text of shown.flatMap((each) => textsIn(each))) {
    // A problem's JSON holds one detail and its fixed texts.
    assert.ok(text.length <= 800, text.slice(0, 100));
    const plain = text.toLowerCase().replaceAll("\u200b", "");
    for (const secret of [KEY, TOKEN, btoa(KEY)]) assert.ok(!plain.includes(secret.toLowerCase()), text);
    // deno-lint-ignore no-control-regex -- they must not be there
    assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  }
}

Deno.test("openaiLlm() lets nothing of a provider out that is long, forges lines or holds a secret", async () => {
  await fc.assert(
    fc.asyncProperty(answers, async ({ status, body, header, value }) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      assertFit(await shownOf(() => new Response(text, { status, headers: { [header]: value } })));
    }),
    { numRuns: 150 },
  );
});

Deno.test("openaiLlm() tells of an error code that is our key, and of a model that calls itself so, without it", async () => {
  const refused = await shownOf(() =>
    Response.json({ error: { code: KEY, message: "no" } }, { status: 401 })
  );
  assertFit(refused);
  assert.ok(textsIn(refused).includes("The provider answered 401 [secret]"), JSON.stringify(refused));
  const labelled = await shownOf(() =>
    Response.json({
      model: KEY,
      choices: [{ message: { content: '{"category":"bug","reason":"It crashes."}' } }],
    })
  );
  assertFit(labelled);
  assert.ok(textsIn(labelled).includes("asked"));
  assert.ok(textsIn(labelled).includes("It crashes."));
});

Deno.test("openaiLlm() takes an answer that repeats our key for none", async () => {
  const reason = KEY.replaceAll("-", "\\u002d");
  const shown = await shownOf(() =>
    Response.json({ choices: [{ message: { content: `{"category":"bug","reason":"${reason}"}` } }] })
  );
  assertFit(shown);
  assert.ok(textsIn(shown).includes("unusable"));
});
