import assert from "node:assert/strict";
import { parseConfig } from "../../../consumer/config.ts";
import { ConfigError } from "../../../shared/config/read.ts";

const REQUIRED = { KAFKA_BROKERS: "a:9092, b:9092", WORKER_URL: "http://worker:8000" };

const parse = (env: Readonly<Record<string, string>>) => parseConfig((name) => env[name]);

function problems(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    parse(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

Deno.test("parseConfig() needs brokers and workers and has the defaults of the design for the rest", () => {
  assert.deepEqual(problems({}).map((problem) => problem.split(" ")[0]), ["KAFKA_BROKERS", "WORKER_URL"]);
  const config = parse(REQUIRED);
  assert.deepEqual(config.kafka.brokers, ["a:9092", "b:9092"]);
  assert.deepEqual(config.source, {
    topics: { names: ["support-tickets"], patterns: [] },
    groupId: "ticket-classifier",
    instanceId: undefined,
    sessionTimeoutMs: 30_000,
    reset: "earliest",
    ordered: false,
  });
  assert.equal(config.machine.mode, "parallel");
  assert.equal(config.machine.maxAttempts, 8);
  assert.equal(config.machine.idleExitMs, undefined);
  assert.equal(config.pool.concurrency, 8);
  assert.equal(config.timeoutMs, 60_000);
  assert.equal(config.adminPort, 8080);
  assert.equal(config.tlsFiles, undefined);
});

Deno.test("parseConfig() tells all problems at once, those of two variables together too, each once", () => {
  const found = problems({
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SSL_CERT: "cert.pem",
    KAFKA_TOPIC: "good,bad topic",
    MAX_ATTEMPTS: "0",
    WORKER_MIN: "9",
    WORKER_MAX: "3",
    LOG_LEVEL: "loud",
  });
  assert.deepEqual(found.map((problem) => problem.split(" ")[0]).sort(), [
    "KAFKA_BROKERS",
    "KAFKA_PASSWORD",
    "KAFKA_SSL_CERT",
    "KAFKA_TOPIC",
    "KAFKA_USERNAME",
    "LOG_LEVEL",
    "MAX_ATTEMPTS",
    "WORKER_MIN",
    "WORKER_URL",
  ]);
  assert.equal(problems({ ...REQUIRED, WORKER_MIN: "many" }).length, 1);
});

Deno.test("parseConfig() shows no secret in a problem", () => {
  const env = { KAFKA_PASSWORD: "s3cret", WORKER_TOKEN: "s3cret", KAFKA_SSL_KEY_PASSPHRASE: "s3cret" };
  assert.doesNotMatch(problems({ ...env, MAX_ATTEMPTS: "x" }).join("\n"), /s3cret/);
});

Deno.test("parseConfig() takes a password with its mechanism, and certificates where TLS is asked for", () => {
  const config = parse({
    ...REQUIRED,
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    KAFKA_USERNAME: "u",
    KAFKA_PASSWORD: "p",
    KAFKA_SSL_CA: "ca.pem",
  });
  assert.deepEqual(config.kafka.sasl, { mechanism: "SCRAM-SHA-512", username: "u", password: "p" });
  assert.equal(config.tlsFiles?.ca, "ca.pem");
  assert.equal(config.tlsFiles?.verifyHostname, true);
});

Deno.test("parseConfig() takes tokens in a password's place", () => {
  const config = parse({
    ...REQUIRED,
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SASL_MECHANISM: "OAUTHBEARER",
    KAFKA_OAUTH_TOKEN_URL: "https://id.example/token",
    KAFKA_OAUTH_CLIENT_ID: "consumer",
    KAFKA_OAUTH_CLIENT_SECRET: "s",
    KAFKA_SSL_VERIFY_HOSTNAME: "false",
  });
  const tokenUrl = new URL("https://id.example/token");
  const oauth = { tokenUrl, clientId: "consumer", clientSecret: "s", scope: undefined };
  assert.deepEqual(config.kafka.sasl, { mechanism: "OAUTHBEARER", oauth });
  assert.equal(config.tlsFiles?.verifyHostname, false);
});

const UNFIT: readonly (readonly [Readonly<Record<string, string>>, readonly RegExp[]])[] = [
  [{ KAFKA_BROKERS: "kafka" }, [/^KAFKA_BROKERS is not a comma list of host:port/]],
  [{ KAFKA_BROKERS: "kafka:9092,other:" }, [/^KAFKA_BROKERS/]],
  [{ KAFKA_BROKERS: "kafka:0" }, [/^KAFKA_BROKERS/]],
  [{ KAFKA_BROKERS: "kafka:65536" }, [/^KAFKA_BROKERS/]],
  [{ KAFKA_BROKERS: "https://kafka:9092" }, [/^KAFKA_BROKERS/]],
  [{ KAFKA_BROKERS: "::1:9092" }, [/^KAFKA_BROKERS/]],
  [{ KAFKA_BROKERS: "[::1]:9092,kafka-0.kafka_ns:9093" }, []],
  [{ RETRY_BACKOFF_MS: "500", RETRY_BACKOFF_MAX_MS: "400" }, [
    /^RETRY_BACKOFF_MAX_MS is below .*400 and 500/,
  ]],
  [{ KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" }, [
    /^KAFKA_USERNAME is set, but KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use it: set SASL_SSL/,
    /^KAFKA_PASSWORD is set/,
  ]],
  [{ KAFKA_SSL_CA: "ca.pem" }, [/^KAFKA_SSL_CA is set, but .*=PLAINTEXT does not use it: set SSL or/]],
  [{ KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_KEY_PASSPHRASE: "x" }, [/^KAFKA_SSL_KEY_PASSPHRASE is set/]],
  [{ KAFKA_SECURITY_PROTOCOL: "SASL_SSL", KAFKA_SASL_MECHANISM: "OAUTHBEARER", KAFKA_USERNAME: "u" }, [
    /^KAFKA_OAUTH_TOKEN_URL is not set, but KAFKA_SASL_MECHANISM=OAUTHBEARER needs it/,
    /^KAFKA_OAUTH_CLIENT_ID/,
    /^KAFKA_OAUTH_CLIENT_SECRET/,
    /^KAFKA_USERNAME is set/,
  ]],
  // One value that cannot be read hides nothing that can be said without it.
  [{ KAFKA_SECURITY_PROTOCOL: "SASL_SSL", KAFKA_SASL_MECHANISM: "SCRAM", KAFKA_SSL_CERT: "c.pem" }, [
    /^KAFKA_SASL_MECHANISM is none of/,
    /^KAFKA_USERNAME is not set, but SASL_SSL needs it/,
    /^KAFKA_PASSWORD is not set/,
    /^KAFKA_SSL_CERT and KAFKA_SSL_KEY go together/,
  ]],
  [{ KAFKA_SECURITY_PROTOCOL: "SASL_SSL", KAFKA_SASL_MECHANISM: "OAUTH", KAFKA_OAUTH_CLIENT_ID: "me" }, [
    /^KAFKA_SASL_MECHANISM is none of/,
    /^KAFKA_OAUTH_TOKEN_URL is not set/,
    /^KAFKA_OAUTH_CLIENT_SECRET is not set/,
  ]],
  [{ KAFKA_SECURITY_PROTOCOL: "TLS", KAFKA_SSL_KEY: "k.pem", KAFKA_SSL_KEY_PASSPHRASE: "x" }, [
    /^KAFKA_SECURITY_PROTOCOL is none of/,
    /^KAFKA_SSL_CERT and KAFKA_SSL_KEY go together/,
  ]],
  [{ PARK_KEYS: "true", DELIVERY_MODE: "keys", RETRY_TOPIC: "r" }, [
    /^DELIVERY_MODE is none of/,
    /^PARK_KEYS=true needs DEAD_LETTER_TOPIC/,
  ]],
];

for (const [env, lines] of UNFIT) {
  Deno.test(`parseConfig() has ${lines.length} problems with ${JSON.stringify(env)}`, () => {
    const found = problems({ ...REQUIRED, ...env });
    assert.equal(found.length, lines.length, found.join("\n"));
    lines.forEach((line, index) => assert.match(found[index] ?? "", line));
  });
}

Deno.test("parseConfig() hands keys to the machine only where their order matters", () => {
  assert.equal(parse({ ...REQUIRED, DELIVERY_MODE: "key" }).source.ordered, true);
  assert.equal(parse({ ...REQUIRED, DELIVERY_MODE: "partition" }).source.ordered, false);
});

Deno.test("parseConfig() sends the first of several worker tokens: the others are being rotated out or in", () => {
  assert.equal(parse({ ...REQUIRED, WORKER_TOKEN: ", new, old" }).pool.token, "new");
  assert.equal(parse(REQUIRED).pool.token, undefined);
});

Deno.test("parseConfig() takes names and patterns of topics, and says what is wrong with either", () => {
  const { topics } = parse({ ...REQUIRED, KAFKA_TOPIC: "a,/^b-/" }).source;
  assert.deepEqual([topics.names, topics.patterns.map(String)], [["a"], ["/^b-/"]]);
  assert.deepEqual(problems({ ...REQUIRED, KAFKA_TOPIC: "/(/" }), [
    "KAFKA_TOPIC has a pattern that is none: Invalid regular expression: /(/: Unterminated group",
  ]);
});

Deno.test("parseConfig() takes PARK_KEYS in key mode only, and where it is known which topics belong together", () => {
  assert.equal(parse({ ...REQUIRED, DELIVERY_MODE: "key", PARK_KEYS: "true" }).machine.parkKeys, true);
  assert.deepEqual(problems({ ...REQUIRED, DELIVERY_MODE: "batch", PARK_KEYS: "true" }), [
    'PARK_KEYS=true needs DELIVERY_MODE=key: current value is "batch"',
  ]);
  const side = { ...REQUIRED, DELIVERY_MODE: "key", PARK_KEYS: "true", RETRY_TOPIC: "r" };
  assert.deepEqual(problems(side), ["PARK_KEYS=true needs DEAD_LETTER_TOPIC where RETRY_TOPIC is set"]);
  assert.deepEqual(problems({ ...side, DEAD_LETTER_TOPIC: "d" }), []);
});

Deno.test("parseConfig() refuses side topics that would be read again as records, or are one", () => {
  assert.deepEqual(problems({ ...REQUIRED, KAFKA_TOPIC: "a,b", DEAD_LETTER_TOPIC: "b" }), [
    'DEAD_LETTER_TOPIC is one of the topics in KAFKA_TOPIC: current value is "b"',
  ]);
  assert.deepEqual(problems({ ...REQUIRED, RETRY_TOPIC: "x", DEAD_LETTER_TOPIC: "x" }), [
    'RETRY_TOPIC is DEAD_LETTER_TOPIC: current value is "x"',
  ]);
  assert.deepEqual(problems({ ...REQUIRED, RETRY_TOPIC: "x", DEAD_LETTER_TOPIC: "y" }), []);
});

Deno.test("parseConfig() refuses a WORKER_MIN above WORKER_MAX", () => {
  const env: Record<string, string> = {
    KAFKA_BROKERS: "localhost:9092",
    WORKER_URL: "http://localhost:8000",
    WORKER_MIN: "3",
    WORKER_MAX: "2",
  };
  assert.throws(
    () => parseConfig((name) => env[name]),
    /WORKER_MIN is above WORKER_MAX: current values are 3 and 2/,
  );
  assert.deepEqual(parseConfig((name) => ({ ...env, WORKER_MAX: "3" })[name]).scale, {
    min: 3,
    max: 3,
    targetDrainMs: 60_000,
  });
});

Deno.test("parseConfig() puts the machine's name into KAFKA_INSTANCE_ID, and needs one where it stands", () => {
  const env = { ...REQUIRED, KAFKA_INSTANCE_ID: "consumer-$HOSTNAME" };
  const { kafka, source } = parse({ ...env, HOSTNAME: "4f1c" });
  assert.equal(source.instanceId, "consumer-4f1c");
  assert.equal(kafka.clientId, "ackpool-consumer@consumer-4f1c");
  assert.throws(() => parse(env), /needs HOSTNAME/);
  assert.throws(() => parse({ ...env, KAFKA_INSTANCE_ID: "a b" }), /KAFKA_INSTANCE_ID/);
});
