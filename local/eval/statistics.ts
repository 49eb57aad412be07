// Accuracy, calibration, cost and latency of one subject, from its verdicts. Pure.

import {
  accuracy,
  type CalibrationBin,
  calibrationBins,
  type Confidence,
  confusionMatrix,
  expectedCalibrationError,
  type LabelMetrics,
  labelMetrics,
  macroF1,
} from "../model/training/metrics.ts";
import { calibrated } from "../../worker/core/answer/confidence.ts";
import { lowestBetween } from "../model/training/golden_section.ts";
import { type Mistake, mistakesOf, NO_ANSWER } from "./mistakes.ts";
import type { Verdict } from "./run.ts";

/** How well confidence agrees with accuracy. */
export interface Calibration {
  readonly ece: number;
  readonly bins: readonly CalibrationBin[];
  /** What CONFIDENCE_TEMPERATURE, times what it was, would fit these answers best; 1 is well calibrated. */
  readonly temperature: number;
}

/** All statistics of one subject. */
export interface Statistics {
  readonly subject: string;
  readonly tickets: number;
  /** What it got wrong, the surest first. */
  readonly mistakes: readonly Mistake[];
  /** Why tickets got no label, counted. They count as wrong. */
  readonly failures: Readonly<Record<string, number>>;
  readonly accuracy: number;
  /** Wilson's 95% interval of the accuracy. */
  readonly accuracyInterval: readonly [number, number];
  readonly macroF1: number;
  readonly labels: readonly LabelMetrics[];
  readonly confusion: { readonly labels: readonly string[]; readonly rows: readonly (readonly number[])[] };
  /** Null where the subject gives no confidence. */
  readonly calibration: Calibration | null;
  readonly tokens: { readonly input: number; readonly output: number };
  /** US dollars; null where a price is not known. */
  readonly costUsd: number | null;
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number };
  /** Accuracy by the tickets' language, where the file says it. */
  readonly languages: readonly {
    readonly language: string;
    readonly tickets: number;
    readonly accuracy: number;
  }[];
}

/** Computes the statistics of one subject. */
export function statisticsOf(subject: string, verdicts: readonly Verdict[]): Statistics {
  const judgements = verdicts.map(judgementOf);
  const labels = [...new Set(verdicts.map(({ ticket }) => ticket.category))].sort();
  const answers = [...new Set([...labels, ...judgements.map(({ answer }) => answer)])];
  const hits = judgements.filter(({ truth, answer }) => truth === answer).length;
  return {
    subject,
    tickets: verdicts.length,
    mistakes: mistakesOf(verdicts),
    failures: countFailures(verdicts),
    accuracy: accuracy(judgements),
    accuracyInterval: wilsonInterval(hits, verdicts.length),
    macroF1: macroF1(judgements, labels),
    labels: labelMetrics(judgements, labels),
    confusion: { labels: answers, rows: confusionMatrix(judgements, answers).slice(0, labels.length) },
    calibration: calibrationOf(verdicts),
    ...expenses(verdicts),
    latency: {
      p50Ms: percentile(verdicts.map(({ ms }) => ms), 0.5),
      p95Ms: percentile(verdicts.map(({ ms }) => ms), 0.95),
    },
    languages: byLanguage(verdicts),
  };
}

/** Whether a verdict is right. */
export function isRight({ ticket, end }: Verdict): boolean {
  return end.kind === "labelled" && end.category === ticket.category;
}

/** Wilson's score interval at 95%; 0 to 1 without any ticket. */
export function wilsonInterval(hits: number, total: number): readonly [number, number] {
  if (total === 0) return [0, 1];
  const z = 1.96;
  const share = hits / total;
  const middle = (share + (z * z) / (2 * total)) / (1 + (z * z) / total);
  const half = (z / (1 + (z * z) / total)) *
    Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The nearest-rank percentile; 0 of nothing. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)] ?? 0;
}

function judgementOf({ ticket, end }: Verdict) {
  return { truth: ticket.category, answer: end.kind === "labelled" ? end.category : NO_ANSWER };
}

function countFailures(verdicts: readonly Verdict[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { end } of verdicts) {
    if (end.kind === "failed") counts[end.reason] = (counts[end.reason] ?? 0) + 1;
  }
  return counts;
}

function calibrationOf(verdicts: readonly Verdict[]): Calibration | null {
  const answers = verdicts.flatMap((verdict) =>
    verdict.end.kind === "labelled" && verdict.end.confidence !== null
      ? [{ confidence: verdict.end.confidence, right: isRight(verdict) }]
      : []
  );
  if (answers.length === 0) return null;
  return {
    ece: expectedCalibrationError(answers),
    bins: calibrationBins(answers),
    temperature: bestTemperature(answers),
  };
}

/** The temperature, 0.2 to 5, under which the confidences explain best what was right. */
export function bestTemperature(answers: readonly Confidence[]): number {
  const surprise = (temperature: number) =>
    answers.reduce((sum, { confidence, right }) => {
      const sure = calibrated(confidence, temperature);
      return sum - Math.log(Math.max(1e-12, right ? sure : 1 - sure));
    }, 0);
  return Math.exp(lowestBetween(Math.log(0.2), Math.log(5), (log) => surprise(Math.exp(log))));
}

function expenses(verdicts: readonly Verdict[]): Pick<Statistics, "tokens" | "costUsd"> {
  const labels = verdicts.flatMap(({ end }) => end.kind === "labelled" ? [end] : []);
  return {
    tokens: {
      input: labels.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
      output: labels.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
    },
    costUsd: labels.reduce<number | null>(
      (sum, { costUsd }) => sum === null || costUsd === null ? null : sum + costUsd,
      0,
    ),
  };
}

function byLanguage(verdicts: readonly Verdict[]): Statistics["languages"] {
  const languages = [...new Set(verdicts.flatMap(({ ticket }) => ticket.language ?? []))];
  return languages.map((language) => {
    const own = verdicts.filter(({ ticket }) => ticket.language === language);
    return { language, tickets: own.length, accuracy: own.filter(isRight).length / own.length };
  }).sort((left, right) => right.tickets - left.tickets);
}
