import assert from "node:assert/strict";
import fc from "fast-check";
import { type VariableName, variables } from "../../../../shared/config/variables.ts";
import { collectProblems, ConfigError, logConfig, readVariables } from "../../../../shared/config/read.ts";

const from = (values: Record<string, string>) => (name: string) => values[name];

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

Deno.test("readVariables() reports every missing and every wrong variable at once", () => {
  const env = from({ ADMIN_PORT: "abc", WORKER_CONCURRENCY: "0" });
  const problems = problemsOf(() =>
    readVariables(["KAFKA_BROKERS", "ADMIN_PORT", "WORKER_CONCURRENCY"], env)
  );
  assert.equal(problems.length, 3);
  assert.match(problems[0] ?? "", /^KAFKA_BROKERS is not set/);
  assert.equal(problems[1], 'ADMIN_PORT is not a whole number: current value is "abc"');
  assert.equal(problems[2], 'WORKER_CONCURRENCY is below 1: current value is "0"');
});

Deno.test("readVariables() never shows a secret's value, whatever is wrong with it", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9]{12,40}$/), (value) => {
    const message = problemsOf(() => readVariables(["DATABASE_URL"], from({ DATABASE_URL: value }))).join();
    assert.match(message, /^DATABASE_URL /);
    assert.ok(!message.includes(value));
  }));
});

Deno.test("readVariables() takes an empty value for none", () => {
  assert.equal(
    readVariables(["WORKER_CONCURRENCY"], from({ WORKER_CONCURRENCY: " " })).WORKER_CONCURRENCY,
    8,
  );
  assert.equal(readVariables(["IDLE_EXIT_MS"], from({ IDLE_EXIT_MS: "" })).IDLE_EXIT_MS, undefined);
});

Deno.test("readVariables() reads lists, shares and flags", () => {
  const env = from({ KAFKA_BROKERS: "a:1, b:2,", DEAD_LETTER_SHARE: ".5", PARK_KEYS: "true" });
  assert.deepEqual({ ...readVariables(["KAFKA_BROKERS", "DEAD_LETTER_SHARE", "PARK_KEYS"], env) }, {
    KAFKA_BROKERS: ["a:1", "b:2"],
    DEAD_LETTER_SHARE: 0.5,
    PARK_KEYS: true,
  });
  assert.equal(
    problemsOf(() => readVariables(["DEAD_LETTER_SHARE"], from({ DEAD_LETTER_SHARE: "1.1" }))).length,
    1,
  );
});

Deno.test("logConfig() is pretty on a terminal unless something else is asked for", () => {
  assert.equal(logConfig(from({}), true).format, "pretty");
  assert.equal(logConfig(from({}), false).format, "json");
  assert.equal(logConfig(from({ LOG_FORMAT: "json" }), true).format, "json");
});

Deno.test("readVariables() shows no password that stands in a URL, and takes none for workers", () => {
  const env = (name: string) =>
    ({ OPENAI_BASE_URL: "htp://me:hunter2@x", WORKER_URL: "http://me:hunter2@w" })[name];
  assert.throws(() => readVariables(["OPENAI_BASE_URL", "WORKER_URL"], env), (error: ConfigError) => {
    assert.equal(error.problems.length, 2);
    assert.match(error.problems[1] ?? "", /WORKER_TOKEN/);
    return !error.message.includes("hunter2");
  });
});

Deno.test("collectProblems() tells the problems of all parts at once, each once", () => {
  const env = (name: string) => ({ LOG_LEVEL: "loud", PORT: "x" })[name];
  const both = () =>
    collectProblems(
      () => logConfig(env, false),
      () => readVariables(["PORT"], env),
      () => readVariables(["PORT"], env, () => ["PORT is odd"]),
    );
  assert.throws(both, (error: ConfigError) => error.problems.length === 3);
});

Deno.test("readVariables() takes addresses of this machine for LISTEN_ADDRESS, and no name of a machine", () => {
  for (const LISTEN_ADDRESS of ["0.0.0.0", "127.0.0.1", "::", "localhost"]) {
    assert.equal(readVariables(["LISTEN_ADDRESS"], from({ LISTEN_ADDRESS })).LISTEN_ADDRESS, LISTEN_ADDRESS);
  }
  assert.equal(
    problemsOf(() => readVariables(["LISTEN_ADDRESS"], from({ LISTEN_ADDRESS: "my-laptop" }))).length,
    1,
  );
});

Deno.test("readVariables() takes services and a DNS server, and says what is wrong with them", () => {
  const read = (WORKER_URL: string, WORKER_DNS_SERVER: string) =>
    readVariables(["WORKER_URL", "WORKER_DNS_SERVER"], from({ WORKER_URL, WORKER_DNS_SERVER }));
  const { WORKER_URL: [url], WORKER_DNS_SERVER } = read("dns+srv://_worker._tcp.test/v1", "127.0.0.1:5353");
  assert.deepEqual([url?.hostname, url?.pathname], ["_worker._tcp.test", "/v1"]);
  assert.deepEqual(WORKER_DNS_SERVER, { address: "127.0.0.1", port: 5353 });
  assert.deepEqual(read("http://w", "[::1]:5353").WORKER_DNS_SERVER, { address: "::1", port: 5353 });
  assert.deepEqual(read("http://w", "10.0.0.2").WORKER_DNS_SERVER, { address: "10.0.0.2", port: 53 });
  for (const wrong of ["dns+srv://_worker._tcp.test:80", "dns+srv://", "dns+srv:name", "ftp://w"]) {
    assert.equal(problemsOf(() => read(wrong, "127.0.0.1")).length, 1, wrong);
  }
  for (const wrong of ["ns.test", "127.0.0.1:99999", "127.0.0.1:", ":53", "::1:53:"]) {
    assert.equal(problemsOf(() => read("http://w", wrong)).length, 1, wrong);
  }
});

Deno.test("readVariables() takes or names every value of every variable, and never throws anything else", () => {
  const names = Object.keys(variables) as VariableName[];
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "0",
      "-1",
      "1e400",
      "9007199254740993",
      ",",
      ",,a:1",
      "http://",
      "http://a:99999",
      "[::1",
      "\0",
    ),
    fc.webUrl(),
    fc.domain().map((name) => `${name}:9092`),
    fc.ipV6().map((address) => `http://[${address}]:1,postgres://u:p@${address}/x`),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (env) => {
      // What problemsOf() does not know as a ConfigError fails.
      problemsOf(() => readVariables(names, from(env)));
    }),
    { numRuns: 500 },
  );
});
