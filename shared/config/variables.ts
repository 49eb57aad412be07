// Variables of the environment: every name Ackpool reads, its schema, its default and what it is for.

import { isIP } from "node:net";
import { z } from "zod";
import {
  addresses,
  amount,
  columns,
  connectionString,
  dnsServer,
  flag,
  identifier,
  instanceId,
  list,
  milliseconds,
  prices,
  scopedTokens,
  share,
  text,
  url,
  urls,
  whole,
} from "./schemas.ts";

/** One variable: how it is read, what it is without a value, and what it is for. */
export interface Variable<T> {
  readonly schema: z.ZodType<T, string>;
  /** What counts where nothing is set; absent means required, null means off. */
  readonly fallback?: string | null;
  readonly about: string;
  /** Its value is never printed. */
  readonly secret?: true;
}

const required = <T>(schema: z.ZodType<T, string>, about: string): Variable<T> => ({ schema, about });

const optional = <T>(schema: z.ZodType<T, string>, about: string): Variable<T | undefined> => ({
  schema,
  about,
  fallback: null,
});

const withDefault = <T>(fallback: string, schema: z.ZodType<T, string>, about: string): Variable<T> => ({
  schema,
  about,
  fallback,
});

const secret = <T>(variable: Variable<T>): Variable<T> => ({ ...variable, secret: true });

const kafka = {
  KAFKA_BROKERS: required(addresses(), "Kafka brokers, `host:port` or `[IPv6]:port`, comma list"),
  KAFKA_TOPIC: withDefault("support-tickets", text(), "topics to read: a comma list or a `/pattern/`"),
  KAFKA_GROUP_ID: withDefault("ticket-classifier", text(), "consumer group"),
  KAFKA_SECURITY_PROTOCOL: withDefault(
    "PLAINTEXT",
    z.enum(
      ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
      "is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
    ),
    "how brokers are reached",
  ),
  KAFKA_SASL_MECHANISM: withDefault(
    "PLAIN",
    z.enum(
      ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
      "is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
    ),
    "how the password is proven, or that a token is used",
  ),
  KAFKA_USERNAME: optional(text(), "SASL user"),
  KAFKA_PASSWORD: secret(optional(text(), "SASL password")),
  KAFKA_OAUTH_TOKEN_URL: optional(url("https:", "http:"), "token server, for `OAUTHBEARER`"),
  KAFKA_OAUTH_CLIENT_ID: optional(text(), "our client id there"),
  KAFKA_OAUTH_CLIENT_SECRET: secret(optional(text(), "our client secret there")),
  KAFKA_OAUTH_SCOPE: optional(text(), "scopes of the token, space between them"),
  KAFKA_SSL_CA: optional(text(), "file with the CA that signed the brokers' certificates"),
  KAFKA_SSL_CERT: optional(
    text(),
    "file with our certificate; with a key it means mTLS. Files that change count from the next connection on",
  ),
  KAFKA_SSL_KEY: optional(text(), "file with our certificate's key"),
  KAFKA_SSL_KEY_PASSPHRASE: secret(optional(text(), "passphrase of that key")),
  KAFKA_SSL_VERIFY_HOSTNAME: withDefault(
    "true",
    flag(),
    "`false`: a broker may show the certificate of another host that the CA signed",
  ),
  KAFKA_SESSION_TIMEOUT_MS: withDefault(
    "30000",
    milliseconds(1000),
    "silence after which the group gives our partitions away",
  ),
  KAFKA_INSTANCE_ID: optional(
    instanceId(),
    "a name that at most one process has at a time; one that starts with it takes its dead predecessor out of the group; `$HOSTNAME` in it is the machine's or container's name",
  ),
  KAFKA_AUTO_OFFSET_RESET: withDefault(
    "earliest",
    z.enum(["earliest", "latest"], "is neither earliest nor latest"),
    "where a group without a commit starts",
  ),
} as const satisfies Record<string, Variable<unknown>>;

const delivery = {
  DELIVERY_MODE: withDefault(
    "parallel",
    z.enum(
      ["parallel", "key", "partition", "batch", "fast"],
      "is none of parallel, key, partition, batch, fast",
    ),
    "which order is kept and when is committed",
  ),
  BATCH_SIZE: withDefault("20", whole(1, 10_000), "records a batch, in `batch` mode"),
  BATCH_LINGER_MS: withDefault("1000", milliseconds(), "how long a part-filled batch waits"),
  COMMIT_MODE: withDefault(
    "async",
    z.enum(["async", "sync"], "is neither async nor sync"),
    "commit on a timer or after each record",
  ),
  COMMIT_INTERVAL_MS: withDefault("1000", milliseconds(10), "time between commits, in `async`"),
  IDLE_EXIT_MS: optional(milliseconds(1), "exit 0 after so long without a record (`drain`)"),
  MAX_ATTEMPTS: withDefault("8", whole(1, 1000), "attempts that may fail before a record is dead-lettered"),
  RETRY_BACKOFF_MS: withDefault("200", milliseconds(1), "backoff before the first retry (full jitter)"),
  RETRY_BACKOFF_MAX_MS: withDefault("30000", milliseconds(1), "longest backoff"),
  RETRY_AFTER_MAX_MS: withDefault("300000", milliseconds(), "longest `Retry-After` that is honoured"),
  RETRY_AGE_MAX_MS: withDefault(
    "3600000",
    milliseconds(1),
    "a record that is answered 409, 425 or 429 for so long while others settle begins to lose attempts",
  ),
  RATE_LIMIT: optional(
    whole(1, 1_000_000),
    "attempts a second of the whole group; `deno task rate` changes it while it runs",
  ),
  DEAD_LETTER_TOPIC: optional(text(), "default `<topic>.<group>.dlq`"),
  RETRY_TOPIC: optional(text(), "default `<topic>.<group>.retry`"),
  DEAD_LETTER_BURST: withDefault("20", whole(1, 1_000_000), "dead letters allowed at once"),
  DEAD_LETTER_SHARE: withDefault("0.02", share(), "dead letters allowed a success"),
  DEAD_LETTER_REPLAYS_MAX: withDefault(
    "3",
    whole(1, 1000),
    "`dlq replay` leaves records that were replayed so often",
  ),
  DEAD_LETTER_SECRET: secret(
    optional(
      text().refine(
        (list) => list.split(",").every((each) => each.trim().length >= 16),
        "has a secret of less than 16 characters",
      ),
      "signs dead letters, their marks and replays, so that no others are believed; of a comma list the first signs, all prove",
    ),
  ),
  PARK_KEYS: withDefault("false", flag(), "in `key` mode, later records of a dead-lettered key follow it"),
} as const satisfies Record<string, Variable<unknown>>;

const workers = {
  WORKER_URL: required(
    urls(),
    "base URL of the workers: one, a comma list, a name with addresses, or `dns+srv://` and a name",
  ),
  WORKER_DNS_SERVER: optional(
    dnsServer(),
    "DNS server to ask for the names in `WORKER_URL`, `address:port`; none asks the system",
  ),
  WORKER_CONCURRENCY: withDefault("8", whole(1, 10_000), "requests at once, a replica"),
  WORKER_RESERVED: withDefault(
    "1",
    whole(0, 10_000),
    "ad-hoc calls a replica takes on top while records have all of `WORKER_CONCURRENCY`",
  ),
  WORKER_MIN: withDefault(
    "0",
    whole(0, 1000),
    "fewest replicas: `start` keeps them, `GET /scale` asks for them",
  ),
  WORKER_MAX: withDefault(
    "10",
    whole(1, 1000),
    "most replicas: `start` runs no more, `GET /scale` asks for no more",
  ),
  WORKER_IDLE_MS: withDefault("60000", milliseconds(), "idle time after which `start` stops a replica"),
  TARGET_DRAIN_SECONDS: withDefault(
    "60",
    whole(1, 86_400),
    "time in which the replicas `GET /scale` asks for would clear the backlog",
  ),
  WORKER_TIMEOUT_MS: withDefault("60000", milliseconds(1), "time limit of one attempt"),
  WORKER_CONNECT_TIMEOUT_MS: withDefault("5000", milliseconds(1), "its time limit for a connection"),
  WORKER_FIRST_BYTE_MS: optional(milliseconds(1), "its time limit for the answer's first byte"),
  WORKER_HEDGE_MS: optional(
    milliseconds(1),
    "an attempt without an answer for so long gets a second one at another replica, while a permit is free",
  ),
  WORKER_TOKEN: secret(
    optional(
      text().refine((tokens) => tokens.split(",").some((token) => token.trim() !== ""), "has no token in it"),
      "bearer token of deliveries; of a comma list workers take any and the consumer sends the first",
    ),
  ),
} as const satisfies Record<string, Variable<unknown>>;

const ingress = {
  INGRESS_TOKEN: secret(
    optional(
      scopedTokens(),
      "bearer tokens of people, at ingress and workers: a comma list of `TOKEN` or `SCOPES:TOKEN`, " +
        "scopes joined by `+`: `classify`, `read` (both without any), `override`; needs `WORKER_TOKEN`",
    ),
  ),
  INGRESS_QUEUE: withDefault("100", whole(0, 100_000), "ad-hoc calls that wait for a free replica at most"),
  INGRESS_PATIENCE_MS: withDefault("5000", milliseconds(), "how long one waits while all replicas are full"),
  INGRESS_WAKE_MS: withDefault(
    "30000",
    milliseconds(),
    "how long one waits for a replica where there is none",
  ),
  INGRESS_RATE_PER_MINUTE: withDefault(
    "6000",
    whole(0, 1_000_000),
    "calls a client (a token, or else an address) may make a minute; 0 counts nobody",
  ),
  INGRESS_PROXIES: withDefault(
    "0",
    whole(0, 10),
    "proxies of yours in front of the ingress, whose `X-Forwarded-For` counts",
  ),
  INGRESS_CONNECTIONS: withDefault(
    "256",
    whole(0),
    "connections one address may have at once; 0 counts nobody, as do proxies in front",
  ),
} as const satisfies Record<string, Variable<unknown>>;

const worker = {
  DATABASE_URL: secret(required(connectionString(), "Postgres with the tickets")),
  TAXONOMY_FILE: optional(text(), "JSON file with labels of your own"),
  CONFIDENCE_TEMPERATURE: withDefault("1", amount(), "above 1 calibrates confidences down, below 1 up"),
  REVIEW_BELOW: withDefault("0.7", share(), "confidence below which a ticket is listed for review"),
  TICKETS_TABLE: withDefault("tickets", identifier(), "table with the tickets"),
  TICKETS_COLUMNS: withDefault(
    "id,category,classified_at",
    columns(),
    "its columns for the id, the label and the time",
  ),
  DATABASE_GRANT_PASSWORD: secret(
    optional(text(), "password of the role that `migrate --grant` makes where there is none"),
  ),
  DATABASE_TIMEOUT_MS: withDefault("10000", milliseconds(100), "time limit of one statement"),
} as const satisfies Record<string, Variable<unknown>>;

const model = {
  OPENAI_API_KEY: secret(optional(text(), "key of the LLM's provider")),
  OPENAI_BASE_URL: optional(url("http:", "https:"), "another OpenAI-compatible provider"),
  OPENAI_MODEL: withDefault("gpt-6-luna", text(), "model"),
  OPENAI_TIMEOUT_MS: withDefault("45000", milliseconds(1), "time limit of one LLM call"),
  FALLBACK_MODELS: optional(list(), "models asked in turn when the first one fails, a comma list"),
  MODEL_PRICES: optional(
    prices(),
    "US dollars for a million tokens, a comma list of `model=in/out` or `model=in/cached/out`, " +
      "before those of worker/core/prices.json",
  ),
  TOKENS_PER_DAY: optional(whole(1), "tokens all workers may use in a day (UTC)"),
  USD_PER_DAY: optional(amount(), "US dollars all workers may spend in a day (UTC)"),
  LLM_BATCH: withDefault(
    "1",
    whole(1, 50),
    "tickets that share one prompt; one may sway its neighbours, see worker.md",
  ),
  TICKET_CALLS_MAX: withDefault(
    "6",
    whole(1, 1_000),
    "paid calls without a usable label after which a ticket is a dead letter",
  ),
  TICKET_TOKENS_MAX: withDefault("6000", whole(100), "tokens of a ticket a model sees; the middle is cut"),
} as const satisfies Record<string, Variable<unknown>>;

const programs = {
  ADMIN_PORT: withDefault(
    "8080",
    whole(0, 65_535),
    "the consumer's health, metrics and operations; on 127.0.0.1 unless `ADMIN_TOKEN` is set",
  ),
  ADMIN_TOKEN: secret(
    optional(text(), "bearer token for the operations on `ADMIN_PORT`; of a comma list any is taken"),
  ),
  HEALTH_PORT: optional(
    whole(1, 65_535),
    "the consumer's health, metrics and scale alone, for probes and scrapers",
  ),
  LISTEN_ADDRESS: withDefault(
    "0.0.0.0",
    z.string().refine(
      (value) => isIP(value) !== 0 || value === "localhost",
      "is neither an IP address nor localhost",
    ),
    "address that the ports listen on; `127.0.0.1` in `start`",
  ),
  PORT: withDefault("8000", whole(0, 65_535), "worker; ingress in `start`"),
  MAX_BODY_BYTES: withDefault("1048576", whole(1), "largest request body"),
  SHUTDOWN_GRACE_MS: withDefault("30000", milliseconds(), "time that requests in flight get on shutdown"),
  LOG_LEVEL: withDefault(
    "info",
    z.enum(["debug", "info", "warning", "error"], "is none of debug, info, warning, error"),
    "least severe line that is printed",
  ),
  LOG_FORMAT: withDefault(
    "json",
    z.enum(["json", "pretty"], "is neither json nor pretty"),
    "`pretty` on a terminal",
  ),
} as const satisfies Record<string, Variable<unknown>>;

/** Every environment variable. */
export const variables = {
  ...kafka,
  ...delivery,
  ...workers,
  ...ingress,
  ...worker,
  ...model,
  ...programs,
} as const;

/** The name of a variable. */
export type VariableName = keyof typeof variables;

type ValueOf<Name extends VariableName> = (typeof variables)[Name] extends Variable<infer T> ? T : never;

/** The values of some variables; one whose fallback is null may be undefined. */
export type Values<Name extends VariableName> = { readonly [N in Name]: ValueOf<N> };

/** Title of a group, what its variables are about, and the variables. */
const GROUPS: readonly (readonly [string, string, Record<string, Variable<unknown>>])[] = [
  ["Kafka", "where records come from", kafka],
  ["Delivery", "which order is kept, when is committed, what happens to failures", delivery],
  ["Workers", "how consumer and ingress reach them", workers],
  ["Ingress", "ad-hoc calls", ingress],
  ["Worker", "what one replica reads and writes", worker],
  ["Model", "who labels tickets, and what it may cost", model],
  ["Every program", "addresses, limits, stopping, logs", programs],
];

/** All variables, a heading and a Markdown table a group: docs/configuration.md holds exactly this. */
export function variablesAsMarkdown(): string {
  return GROUPS.map(([title, about, group]) => `## ${title}: ${about}\n\n${tableOf(group)}`).join("\n\n");
}

function tableOf(group: Record<string, Variable<unknown>>): string {
  const rows = Object.entries(group).map(([name, { fallback, about }]) => {
    const value = fallback === undefined ? "required" : fallback === null ? "none" : `\`${fallback}\``;
    return `| \`${name}\` | ${value} | ${about.replaceAll("|", "\\|")} |`;
  });
  return ["| name | default | what it is |", "| --- | --- | --- |", ...rows].join("\n");
}
