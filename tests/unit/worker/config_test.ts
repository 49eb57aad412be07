// Tests of the worker's config.

import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/config/read.ts";
import { parseConfig } from "../../../worker/config.ts";

const REQUIRED = { DATABASE_URL: "postgres://user:secret@db/tickets", OPENAI_API_KEY: "sk-secret" };
const parse = (values: Record<string, string>) => parseConfig((name) => values[name]);

Deno.test("parseConfig() needs a database and a provider, and has defaults for the rest", () => {
  const config = parse(REQUIRED);
  assert.deepEqual([config.port, config.concurrency, config.llm.model], [8000, 8, "gpt-6-luna"]);
  assert.deepEqual(config.tokens, []);
});

Deno.test("parseConfig() takes two tokens while one replaces the other", () => {
  const { tokens } = parse({ ...REQUIRED, WORKER_TOKEN: "old, new" });
  assert.deepEqual(tokens.map(({ token }) => token), ["old", "new"]);
});

Deno.test("parseConfig() tells deliveries from people by their tokens, each person's with its scopes", () => {
  const INGRESS_TOKEN = "plain==, read:reader, classify+read+override:boss";
  const scopes = parse({ ...REQUIRED, WORKER_TOKEN: "w", INGRESS_TOKEN }).tokens.map((each) =>
    `${each.token}: ${each.scopes}`
  );
  assert.deepEqual(scopes, [
    "w: deliver,classify",
    "plain==: classify,read",
    "reader: read",
    "boss: classify,read,override",
  ]);
  const problems = (env: Record<string, string>) => {
    try {
      parse({ ...REQUIRED, ...env });
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems;
    }
  };
  assert.match(problems({ INGRESS_TOKEN }).join(), /^WORKER_TOKEN is not set, INGRESS_TOKEN is/);
  for (const wrong of ["deliver:x", "clasify:x", "classify,read:", ":x", "a b", "+:x"]) {
    const [problem = ""] = problems({ WORKER_TOKEN: "w", INGRESS_TOKEN: wrong });
    assert.match(problem, /^INGRESS_TOKEN is not a comma list/, wrong);
  }
});

Deno.test("parseConfig() names every problem at once and no secret", () => {
  assert.throws(
    () => parse({ PORT: "abc", DATABASE_URL: "mysql://user:secret@db" }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.problems, [
        'PORT is not a whole number: current value is "abc"',
        "DATABASE_URL is not a URL that starts with postgres:// or postgresql://",
        "OPENAI_API_KEY or OPENAI_BASE_URL is not set (one of them says which LLM to use)",
      ]);
      return true;
    },
  );
});

Deno.test("parseConfig() reads what may be set about labels, money and tables", () => {
  const config = parse({
    ...REQUIRED,
    OPENAI_MODEL: "a",
    FALLBACK_MODELS: "b, c",
    MODEL_PRICES: "a=1/2,b=.5/0.25,c=0/0",
    USD_PER_DAY: "2.50",
    TICKETS_TABLE: "support.Cases",
    TICKETS_COLUMNS: "No, label, labelled_at",
  });
  assert.deepEqual(config.llm.fallbackModels, ["b", "c"]);
  assert.deepEqual(config.rules.prices[1], { model: "b", inputUsd: 0.5, outputUsd: 0.25 });
  assert.deepEqual(config.budget, { tokensPerDay: undefined, usdPerDay: 2.5 });
  assert.deepEqual(config.table, {
    name: "support.Cases",
    idColumn: "No",
    categoryColumn: "label",
    classifiedAtColumn: "labelled_at",
  });
});

Deno.test("parseConfig() takes no name that could be SQL, and no budget in money without prices", () => {
  assert.throws(
    () => parse({ ...REQUIRED, TICKETS_TABLE: "tickets; drop table x", TICKETS_COLUMNS: "id,category" }),
    /TICKETS_TABLE is not an identifier[^]*TICKETS_COLUMNS is not three column names/,
  );
  assert.throws(
    () => parse({ ...REQUIRED, OPENAI_MODEL: "mine", USD_PER_DAY: "1" }),
    /MODEL_PRICES has no price for mine, which USD_PER_DAY needs/,
  );
});

Deno.test("parseConfig() puts the tickets table into the schema that the connection string names", () => {
  const nameWith = (query: string, TICKETS_TABLE: string) =>
    parse({ ...REQUIRED, DATABASE_URL: `postgres://db/d${query}`, TICKETS_TABLE }).table.name;
  assert.equal(nameWith("?schema=Desk", "tickets"), '"Desk".tickets');
  assert.equal(nameWith("?currentSchema=desk,public", "support.Tickets"), "support.Tickets");
  assert.equal(nameWith("", '"My Tickets"'), '"My Tickets"');
});

Deno.test("parseConfig() refuses tables and columns that cannot hold tickets", () => {
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ TICKETS_TABLE: "ackpool.labels" }, /^TICKETS_TABLE is one of Ackpool's own/],
    [
      { TICKETS_TABLE: "pg_catalog.pg_class" },
      /^TICKETS_TABLE is one of Ackpool's own tables, or of the database's/,
    ],
    [{ TICKETS_COLUMNS: "id,id,classified_at" }, /^TICKETS_COLUMNS names a column twice/],
    [{ TICKETS_COLUMNS: 'id,"done",done' }, /^TICKETS_COLUMNS names a column twice/],
    [{ DATABASE_URL: "postgres://u:secret/word@h/d" }, /^DATABASE_URL .*percent-encoded/],
  ];
  for (const [values, expected] of refused) {
    assert.throws(() => parse({ ...REQUIRED, ...values }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});
