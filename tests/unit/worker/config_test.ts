// Tests of the worker's config.

import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/config.ts";
import { parseConfig } from "../../../worker/config.ts";

const REQUIRED = { DATABASE_URL: "postgres://user:secret@db/tickets", OPENAI_API_KEY: "sk-secret" };
const parse = (values: Record<string, string>) => parseConfig((name) => values[name]);

Deno.test("parseConfig() needs a database and a provider, and has defaults for the rest", () => {
  const config = parse(REQUIRED);
  assert.deepEqual([config.port, config.concurrency, config.llm.model], [8000, 8, "gpt-4o-mini"]);
  assert.deepEqual(config.tokens, []);
});

Deno.test("parseConfig() takes two tokens while one replaces the other", () => {
  assert.deepEqual(parse({ ...REQUIRED, WORKER_TOKEN: "old, new" }).tokens, ["old", "new"]);
});

Deno.test("parseConfig() names every problem at once and no secret", () => {
  assert.throws(
    () => parse({ PORT: "abc", DATABASE_URL: "mysql://user:secret@db" }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.problems, [
        "OPENAI_API_KEY or OPENAI_BASE_URL is not set (one of them says which LLM to use)",
        'PORT is not a whole number: current value is "abc"',
        "DATABASE_URL is not a URL that starts with postgres:// or postgresql://",
      ]);
      return true;
    },
  );
});
