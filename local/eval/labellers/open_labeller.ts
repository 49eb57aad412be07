// The labeller that a subject's name stands for: files read, addresses and keys from the environment.

import { StartError } from "../../../shared/process/start_error.ts";
import type { LabellingRules } from "../../../worker/labelling/labeller.ts";
import type { Labeller } from "./labeller.ts";
import { localLabeller, tfidfLabeller } from "./local_labellers.ts";
import { type Asking, promptedLabeller } from "./prompted_labeller.ts";
import type { AskingOptions, Subject } from "../subject.ts";
import { workerLabeller } from "./worker_labeller.ts";

/** What the environment says about calling. */
export interface CallingConfig {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly workerToken: string | undefined;
  /** The taxonomy where a subject names none; undefined for the worker's own. */
  readonly taxonomyFile: string | undefined;
  readonly rules: LabellingRules;
  readonly timeoutMs: number;
  readonly cacheFolder: URL;
  readonly nowMs: () => number;
}

/**
 * Opens what is to be judged.
 *
 * @throws {StartError} when a file or a key is missing.
 */
export async function openLabeller(subject: Subject, config: CallingConfig): Promise<Labeller> {
  const { nowMs, timeoutMs } = config;
  switch (subject.kind) {
    case "worker":
      return workerLabeller(subject.url, config.workerToken, nowMs);
    case "tfidf":
      return await tfidfLabeller();
    case "local":
      return await localLabeller(await readAsking(subject.asking, config), config);
    case "model": {
      const baseUrl = subject.asking.url ?? config.baseUrl;
      if (config.apiKey === undefined && baseUrl === undefined) {
        throw new StartError(
          `${subject.name} needs OPENAI_API_KEY, OPENAI_BASE_URL or url=…; the local model is "local"`,
        );
      }
      const llm = { apiKey: config.apiKey, baseUrl, model: subject.model, timeoutMs };
      return promptedLabeller({ ...await readAsking(subject.asking, config), llm }, nowMs);
    }
    default:
      return subject satisfies never;
  }
}

async function readAsking(
  { taxonomyFile, promptFile, price }: AskingOptions,
  config: CallingConfig,
): Promise<Omit<Asking, "llm">> {
  const file = taxonomyFile ?? config.taxonomyFile;
  return {
    taxonomy: file === undefined ? undefined : parseJson(file, await readText(file)),
    system: promptFile === undefined ? undefined : await readText(promptFile),
    price,
    rules: config.rules,
  };
}

/** Reads a file a person named. */
export async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new StartError(`Cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StartError(`${path} is not JSON`);
  }
}
