// `deno task eval`: measures a worker, a model or the local model on labelled tickets, alone or side by side.

import { readVariables } from "../../shared/config/read.ts";
import { tokensOf } from "../../shared/http/bearer_token.ts";
import { pause } from "../../shared/wait.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { onStopSignal } from "../../shared/process/stop_signals.ts";
import { knownPrices } from "../../worker/core/prices.ts";
import { homeFolder } from "../project.ts";
import { standardTerminal, type Terminal } from "../terminal.ts";
import { parseLabelledTickets, splitTickets, TICKETS_URL } from "../model/tickets.ts";
import { EVAL, type EvalArguments, parseEvalArguments } from "./arguments.ts";
import { statisticsOf } from "./statistics.ts";
import { type JudgedTicket, readLabelledFile } from "./labelled_file.ts";
import { overriddenTickets } from "./overridden_tickets.ts";
import { type UnknownLabels, unknownLabels } from "./unknown_labels.ts";
import { compareVerdicts } from "./mcnemar.ts";
import { type CallingConfig, openLabeller, readText } from "./labellers/open_labeller.ts";
import type { Report } from "./report/report.ts";
import { reportHtml } from "./report/report_html.ts";
import { reportText } from "./report/report_text.ts";
import { runEvaluation, type Verdict } from "./run.ts";
import { parseSubject, type Subject } from "./subject.ts";

const HOME = homeFolder(undefined, Deno.cwd());
const OWN_SET = "the project's synthetic tickets that the local model was not trained on";
const OVERRIDES_SET = "those that people decided about";
const stopping = new AbortController();
/** Tickets whose label a subject cannot give are mistakes of the file and not of the subject: the figures do not hold. */
let hasUnknownLabels = false;

async function main(): Promise<number> {
  const asked = readArguments();
  const removeHandlers = onStopSignal(() => stopping.abort());
  using screen = standardTerminal(Deno.stderr);
  const { args, subjects } = asked;
  const tickets = args.fromOverrides ? await readOverrides() : await readTickets(args.file);
  const runs: { readonly subject: Subject; readonly verdicts: readonly Verdict[] }[] = [];
  for (const subject of subjects) {
    runs.push({ subject, verdicts: await judge(subject, tickets, args.concurrency, screen) });
    if (stopping.signal.aborted) return EXIT.interrupted;
  }
  removeHandlers();
  const [first, second] = runs;
  const report: Report = {
    set: `${tickets.length} tickets: ${args.fromOverrides ? OVERRIDES_SET : args.file ?? OWN_SET}`,
    at: new Date().toISOString(),
    concurrency: args.concurrency,
    subjects: runs.map(({ subject, verdicts }) => statisticsOf(subject.name, verdicts)),
    comparison: first === undefined || second === undefined
      ? null
      : compareVerdicts(first.verdicts, second.verdicts),
  };
  return await publish(report, args, screen);
}

function readArguments(): { readonly args: EvalArguments; readonly subjects: readonly Subject[] } {
  const args = parseEvalArguments(Deno.args);
  const names = args.subjects.length > 0 ? args.subjects : [subjectOfEnvironment()];
  return { args, subjects: names.map(parseSubject) };
}

function subjectOfEnvironment(): string {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: model } = readEnvironment();
  return key === undefined && url === undefined ? "local" : model;
}

function readEnvironment() {
  return readVariables(
    [
      "OPENAI_API_KEY",
      "OPENAI_BASE_URL",
      "OPENAI_MODEL",
      "OPENAI_TIMEOUT_MS",
      "WORKER_TOKEN",
      "MODEL_PRICES",
      "TICKET_TOKENS_MAX",
      "CONFIDENCE_TEMPERATURE",
      "TAXONOMY_FILE",
    ],
    (name) => Deno.env.get(name),
  );
}

function callingConfig(): CallingConfig {
  const values = readEnvironment();
  return {
    apiKey: values.OPENAI_API_KEY,
    baseUrl: values.OPENAI_BASE_URL,
    workerToken: tokensOf(values.WORKER_TOKEN)[0],
    timeoutMs: values.OPENAI_TIMEOUT_MS,
    taxonomyFile: values.TAXONOMY_FILE,
    rules: {
      prices: knownPrices(values.MODEL_PRICES),
      ticketTokensMax: values.TICKET_TOKENS_MAX,
      confidenceTemperature: values.CONFIDENCE_TEMPERATURE,
    },
    cacheFolder: new URL(`file://${HOME}/model/`),
    nowMs: () => performance.now(),
  };
}

async function readTickets(file: string | undefined): Promise<readonly JudgedTicket[]> {
  if (file === undefined) {
    return splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL))).heldOut;
  }
  const { tickets, problems } = readLabelledFile(await readText(file));
  if (problems.length > 0) {
    throw new StartError([`${file} is not a set of labelled tickets`, ...problems.slice(0, 10)].join("\n"));
  }
  if (tickets.length === 0) throw new StartError(`${file} has no tickets`);
  return tickets;
}

async function readOverrides(): Promise<readonly JudgedTicket[]> {
  const tickets = await overriddenTickets((name) => Deno.env.get(name));
  if (tickets.length === 0) {
    throw new StartError("Nobody has decided about a label yet: GET /review lists some");
  }
  return tickets;
}

async function judge(
  subject: Subject,
  tickets: readonly JudgedTicket[],
  concurrency: number,
  screen: Terminal,
): Promise<readonly Verdict[]> {
  screen.going("eval", `${subject.name} is getting ready`);
  const labeller = await openLabeller(subject, callingConfig());
  try {
    warnOfUnknownLabels(unknownLabels(subject.name, tickets, labeller.labels), screen);
    const verdicts = await runEvaluation(tickets, labeller, concurrency, {
      nowMs: () => performance.now(),
      sleep: pause,
      onProgress: (done, total) => screen.drawing("eval", `${subject.name} ${done} of ${total}`),
      signal: stopping.signal,
    });
    screen.done("eval");
    return verdicts;
  } finally {
    await labeller.close();
  }
}

/** Some tickets that cannot be labelled rightly spoil the figures; where none can, nothing is paid for. */
function warnOfUnknownLabels(unknown: UnknownLabels | undefined, screen: Terminal): void {
  if (unknown === undefined) return;
  if (unknown.all) throw new StartError(unknown.sentence);
  screen.line(unknown.sentence);
  hasUnknownLabels = true;
}

/** Prints and writes the report; the exit code says whether `--min-f1` was reached. */
async function publish(
  report: Report,
  { json, html, minF1 }: EvalArguments,
  screen: Terminal,
): Promise<number> {
  const path = html ?? `${HOME}/eval.html`;
  if (html === undefined) await Deno.mkdir(HOME, { recursive: true });
  await Deno.writeTextFile(path, reportHtml(report));
  await print(json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
  screen.done("eval", `report with pictures: ${path}`);
  const below = report.subjects.filter(({ macroF1 }) => minF1 !== undefined && macroF1 < minF1);
  for (const { subject, macroF1 } of below) {
    screen.line(`${subject} has a macro-F1 of ${macroF1.toFixed(3)}, below the ${minF1} asked for`);
  }
  return below.length > 0 || hasUnknownLabels ? EXIT.failed : EXIT.ok;
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

await runMain(main, EVAL);
