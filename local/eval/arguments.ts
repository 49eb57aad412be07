// The command line of `deno task eval`. Pure.

import { parseFlags, type Program, UsageError } from "../../shared/process/command_line.ts";

/** The command line of `deno task eval`. */
export interface EvalArguments {
  /** A file of labelled tickets; undefined for the project's own, those the local model was not trained on. */
  readonly file: string | undefined;
  /** The tickets are those that people have decided about, out of the database. */
  readonly fromOverrides: boolean;
  /** What is evaluated, each as {@link EVAL} has it; empty for what the environment says, two to compare. */
  readonly subjects: readonly string[];
  /** The least macro-F1, 0..1, below which the exit code is 1. */
  readonly minF1: number | undefined;
  readonly json: boolean;
  /** Where the HTML report goes; undefined for `.ackpool/eval.html`. */
  readonly html: string | undefined;
  readonly concurrency: number;
}

/** The program, as its help shows it. */
export const EVAL = {
  task: "eval",
  usage: "Judges labels against labelled tickets: accuracy, calibration, cost, latency.",
  takesArguments: true,
  words: "[FILE]",
  options: {
    of: {
      type: "string",
      value: "SUBJECT",
      about: "what is judged (the model of OPENAI_*, or the local one)",
    },
    // Its two values are taken before the rest is read.
    compare: { type: "string", value: "A B", about: "two subjects side by side, with McNemar's test" },
    "min-f1": { type: "string", value: "SHARE", about: "exit code 1 when any subject's macro-F1 is lower" },
    html: {
      type: "string",
      value: "FILE",
      about: "where the report with pictures goes (.ackpool/eval.html)",
    },
    "from-overrides": {
      type: "boolean",
      default: false,
      about: "the tickets that people decided about, out of DATABASE_URL",
    },
    json: { type: "boolean", default: false, about: "figures as JSON" },
    concurrency: { type: "string", default: "4", value: "N", about: "calls at once" },
  },
  examples: [
    ["eval", "the project's tickets that the local model never saw"],
    ["eval tickets.jsonl --of gpt-6-luna --min-f1 0.8", ""],
    ["eval --compare local tfidf", ""],
    ["eval --from-overrides", "against what people decided"],
  ],
  notes: `FILE has one JSON object a line: {"subject": "…", "body": "…", "category": "billing"}
or is an array of them, or CSV with columns of these names.

A SUBJECT is one of
  http://localhost:8000   a worker: its POST /classify, without ticket_id, so that nothing is written
  gpt-6-luna              a model at OPENAI_BASE_URL with OPENAI_API_KEY, asked with the worker's own prompt
  local                   the local model, asked in the same way
  tfidf                   TF-IDF with logistic regression on the project's training tickets
and, for a model or local, after commas
  taxonomy=FILE.json      other labels      prompt=FILE.txt    another system message
  url=http://…/v1         another provider  price=0.15/0.60    US dollars a million tokens, in/out`,
} as const satisfies Program;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseEvalArguments(args: readonly string[]): EvalArguments {
  const { rest, compared } = takeCompared(args);
  const { values, positionals } = parseFlags({
    args: rest,
    allowPositionals: true,
    options: EVAL.options,
  });
  if (positionals.length > 1) throw new UsageError(`More than one file: ${positionals.join(", ")}`);
  if (values["from-overrides"] && positionals.length > 0) {
    throw new UsageError("--from-overrides and a file exclude each other");
  }
  if (values.of !== undefined && compared.length > 0) {
    throw new UsageError("--of and --compare exclude each other");
  }
  return {
    file: positionals[0],
    fromOverrides: values["from-overrides"],
    subjects: values.of === undefined ? compared : [values.of],
    minF1: values["min-f1"] === undefined ? undefined : share("--min-f1", values["min-f1"]),
    json: values.json,
    html: values.html,
    concurrency: count("--concurrency", values.concurrency),
  };
}

/** `--compare` takes two values, which no option of parseArgs can. */
function takeCompared(
  args: readonly string[],
): { readonly rest: readonly string[]; readonly compared: readonly string[] } {
  const at = args.indexOf("--compare");
  if (at < 0) return { rest: args, compared: [] };
  const compared = args.slice(at + 1, at + 3);
  if (compared.length < 2 || compared.some((subject) => subject.startsWith("-"))) {
    throw new UsageError("--compare needs two subjects: --compare A B");
  }
  return { rest: [...args.slice(0, at), ...args.slice(at + 3)], compared };
}

function share(name: string, value: string): number {
  const number = Number(value);
  if (value.trim() !== "" && number >= 0 && number <= 1) return number;
  throw new UsageError(`${name} is not a number from 0 to 1: current value is "${value}"`);
}

function count(name: string, value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new UsageError(`${name} is not a whole number from 1 to 9999: current value is "${value}"`);
}
