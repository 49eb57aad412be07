// Settings of a worker, read from the environment. Pure: the program hands the environment in.

import { type Environment, type Readable, readVariables } from "../shared/config/read.ts";
import type { Values } from "../shared/config/variables.ts";
import type { Budget } from "./core/budget.ts";
import { knownPrices } from "./core/prices.ts";
import type { DatabaseConfig } from "./db/database.ts";
import { nameParts, type TicketsTable } from "./db/tickets_table.ts";
import { parseConnectionString } from "../shared/postgres/connection_string.ts";
import { type AccessToken, accessTokens } from "../shared/http/bearer_token.ts";
import type { LabellingRules } from "./labelling/labeller.ts";
import type { LlmConfig } from "./llm/client.ts";

/** A worker's settings. */
export interface WorkerConfig {
  readonly host: string;
  readonly port: number;
  readonly concurrency: number;
  /** Ad-hoc calls on top of it, while deliveries have all of it. */
  readonly reserved: number;
  readonly tokens: readonly AccessToken[];
  readonly maxBodyBytes: number;
  readonly database: Pick<DatabaseConfig, "url" | "statementTimeoutMs"> & {
    /** What of the connection string cannot be done as it is written. */
    readonly notes: readonly string[];
  };
  readonly table: TicketsTable;
  readonly llm: LlmConfig;
  readonly rules: LabellingRules;
  readonly budget: Budget;
  /** Tickets that share one prompt; 1 is none. */
  readonly llmBatch: number;
  /** Paid calls without a usable label that one ticket may cost. */
  readonly ticketCallsMax: number;
  readonly taxonomyFile: string | undefined;
  readonly reviewBelow: number;
  readonly shutdownGraceMs: number;
}

const NAMES = [
  "LISTEN_ADDRESS",
  "PORT",
  "WORKER_CONCURRENCY",
  "WORKER_RESERVED",
  "WORKER_TOKEN",
  "INGRESS_TOKEN",
  "MAX_BODY_BYTES",
  "DATABASE_URL",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "OPENAI_MODEL",
  "OPENAI_TIMEOUT_MS",
  "FALLBACK_MODELS",
  "MODEL_PRICES",
  "TOKENS_PER_DAY",
  "USD_PER_DAY",
  "LLM_BATCH",
  "TICKET_CALLS_MAX",
  "TICKET_TOKENS_MAX",
  "TAXONOMY_FILE",
  "CONFIDENCE_TEMPERATURE",
  "REVIEW_BELOW",
  "TICKETS_TABLE",
  "TICKETS_COLUMNS",
  "DATABASE_TIMEOUT_MS",
  "SHUTDOWN_GRACE_MS",
] as const;

const SECRET_MIN = 8;
const PROVIDER_MISSING = "OPENAI_API_KEY or OPENAI_BASE_URL is not set (one of them says which LLM to use)";

const DELIVERY_TOKEN_MISSING =
  "WORKER_TOKEN is not set, INGRESS_TOKEN is: without both, a worker cannot tell deliveries from people's calls";

/**
 * Reads a worker's settings.
 *
 * @throws {ConfigError} naming everything that is missing or wrong at once.
 */
export function parseConfig(env: Environment): WorkerConfig {
  const provider = env("OPENAI_API_KEY")?.trim() || env("OPENAI_BASE_URL")?.trim();
  const values = readVariables(NAMES, env, (v) => [
    ...(provider ? [] : [PROVIDER_MISSING]),
    ...(v.INGRESS_TOKEN !== undefined && v.WORKER_TOKEN === undefined ? [DELIVERY_TOKEN_MISSING] : []),
    ...unpriced(v),
  ]);
  return {
    host: values.LISTEN_ADDRESS,
    port: values.PORT,
    concurrency: values.WORKER_CONCURRENCY,
    reserved: values.WORKER_RESERVED,
    tokens: accessTokens(values.WORKER_TOKEN, values.INGRESS_TOKEN),
    maxBodyBytes: values.MAX_BODY_BYTES,
    database: {
      url: values.DATABASE_URL,
      statementTimeoutMs: values.DATABASE_TIMEOUT_MS,
      notes: parseConnectionString(values.DATABASE_URL).notes,
    },
    table: ticketsTable(values),
    llm: {
      apiKey: values.OPENAI_API_KEY,
      secrets: secretsOf(values),
      baseUrl: values.OPENAI_BASE_URL,
      model: values.OPENAI_MODEL,
      fallbackModels: values.FALLBACK_MODELS ?? [],
      timeoutMs: values.OPENAI_TIMEOUT_MS,
    },
    rules: {
      prices: knownPrices(values.MODEL_PRICES),
      ticketTokensMax: values.TICKET_TOKENS_MAX,
      confidenceTemperature: values.CONFIDENCE_TEMPERATURE,
    },
    budget: { tokensPerDay: values.TOKENS_PER_DAY, usdPerDay: values.USD_PER_DAY },
    llmBatch: values.LLM_BATCH,
    ticketCallsMax: values.TICKET_CALLS_MAX,
    taxonomyFile: values.TAXONOMY_FILE,
    reviewBelow: values.REVIEW_BELOW,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
}

/** The table's names, as migrate and the worker use them: in the schema of the connection string where it names one. */
export function ticketsTable(
  { DATABASE_URL: url, TICKETS_TABLE: name, TICKETS_COLUMNS: columns }: Values<
    "DATABASE_URL" | "TICKETS_TABLE" | "TICKETS_COLUMNS"
  >,
): TicketsTable {
  const [idColumn = "id", categoryColumn = "category", classifiedAtColumn = "classified_at"] = columns;
  const { schema } = parseConnectionString(url);
  const isQualified = nameParts(name).length > 1;
  return {
    name: schema === undefined || isQualified ? name : `"${schema.replaceAll('"', '""')}".${name}`,
    idColumn,
    categoryColumn,
    classifiedAtColumn,
  };
}

/** All that nobody may ever read in an answer, besides the provider's key. */
function secretsOf(
  { DATABASE_URL, OPENAI_BASE_URL, WORKER_TOKEN, INGRESS_TOKEN }: Values<
    "DATABASE_URL" | "OPENAI_BASE_URL" | "WORKER_TOKEN" | "INGRESS_TOKEN"
  >,
): readonly (string | undefined)[] {
  const secrets = [
    parseConnectionString(DATABASE_URL).password,
    OPENAI_BASE_URL === undefined ? undefined : new URL(OPENAI_BASE_URL).password,
    ...accessTokens(WORKER_TOKEN, INGRESS_TOKEN).map(({ token }) => token),
  ];
  // A short password may be a word that a provider says by chance.
  return secrets.filter((secret) => secret !== undefined && secret.length >= SECRET_MIN);
}

/** Without its price a model would spend money that USD_PER_DAY never sees. */
function unpriced(
  { USD_PER_DAY, OPENAI_MODEL, FALLBACK_MODELS = [], MODEL_PRICES }: Readable<(typeof NAMES)[number]>,
): string[] {
  if (USD_PER_DAY === undefined || OPENAI_MODEL === undefined) return [];
  const prices = knownPrices(MODEL_PRICES);
  return [OPENAI_MODEL, ...FALLBACK_MODELS]
    .filter((model) => !prices.some((price) => model.startsWith(price.model)))
    .map((model) => `MODEL_PRICES has no price for ${model}, which USD_PER_DAY needs`);
}
