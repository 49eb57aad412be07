// What the environment may say to a worker, and what it means. Pure: main.ts hands the environment in.

import { ConfigError, type Environment, readVariables } from "../shared/config.ts";
import type { LlmConfig } from "./llm/client.ts";

/** A worker's settings. */
export interface WorkerConfig {
  readonly port: number;
  readonly concurrency: number;
  readonly tokens: readonly string[];
  readonly maxBodyBytes: number;
  readonly databaseUrl: string;
  readonly llm: LlmConfig;
  readonly shutdownGraceMs: number;
}

const NAMES = [
  "PORT",
  "WORKER_CONCURRENCY",
  "WORKER_TOKEN",
  "MAX_BODY_BYTES",
  "DATABASE_URL",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "OPENAI_MODEL",
  "OPENAI_TIMEOUT_MS",
  "SHUTDOWN_GRACE_MS",
] as const;

const PROVIDER_MISSING = "OPENAI_API_KEY or OPENAI_BASE_URL is not set (one of them says which LLM to use)";

/**
 * Reads a worker's settings.
 *
 * @throws {ConfigError} naming everything that is missing or wrong at once.
 */
export function parseConfig(env: Environment): WorkerConfig {
  const problems: string[] = [];
  if (!env("OPENAI_API_KEY")?.trim() && !env("OPENAI_BASE_URL")?.trim()) problems.push(PROVIDER_MISSING);
  const values = collect(problems, () => readVariables(NAMES, env));
  if (values === undefined || problems.length > 0) throw new ConfigError(problems);
  return {
    port: values.PORT,
    concurrency: values.WORKER_CONCURRENCY,
    tokens: (values.WORKER_TOKEN ?? "").split(",").map((token) => token.trim()).filter((token) =>
      token !== ""
    ),
    maxBodyBytes: values.MAX_BODY_BYTES,
    databaseUrl: values.DATABASE_URL,
    llm: {
      apiKey: values.OPENAI_API_KEY,
      baseUrl: values.OPENAI_BASE_URL,
      model: values.OPENAI_MODEL,
      timeoutMs: values.OPENAI_TIMEOUT_MS,
    },
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
}

function collect<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}
