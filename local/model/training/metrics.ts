// Quality of a classifier: confusion, precision, recall, F1, calibration. Pure.

/** One answer beside the truth. */
export interface Judgement {
  readonly truth: string;
  readonly answer: string;
}

/** How one label fares; ratios of nothing are 0. */
export interface LabelMetrics {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** How many tickets truly have this label. */
  readonly support: number;
}

/** Rows are truths, columns answers, both in the order of `labels`. */
export function confusionMatrix(judgements: readonly Judgement[], labels: readonly string[]): number[][] {
  return labels.map((truth) =>
    labels.map((answer) => judgements.filter((one) => one.truth === truth && one.answer === answer).length)
  );
}

/** Precision, recall and F1 of each label. */
export function labelMetrics(
  judgements: readonly Judgement[],
  labels: readonly string[],
): readonly LabelMetrics[] {
  return labels.map((label) => {
    const hits = judgements.filter(({ truth, answer }) => truth === label && answer === label).length;
    const answered = judgements.filter(({ answer }) => answer === label).length;
    const support = judgements.filter(({ truth }) => truth === label).length;
    const precision = ratio(hits, answered);
    const recall = ratio(hits, support);
    return { label, precision, recall, f1: ratio(2 * precision * recall, precision + recall), support };
  });
}

/** The mean F1 of the labels that occur, each counting the same. */
export function macroF1(judgements: readonly Judgement[], labels: readonly string[]): number {
  const present = labelMetrics(judgements, labels).filter(({ support }) => support > 0);
  return ratio(present.reduce((sum, { f1 }) => sum + f1, 0), present.length);
}

/** The share of right answers. */
export function accuracy(judgements: readonly Judgement[]): number {
  return ratio(judgements.filter(({ truth, answer }) => truth === answer).length, judgements.length);
}

/** One answer with how sure it was, and whether it was right. */
export interface Confidence {
  readonly confidence: number;
  readonly right: boolean;
}

/** One bar of a reliability diagram. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly meanConfidence: number;
  readonly accuracy: number;
}

/** Answers gathered by confidence into bins of equal width. */
export function calibrationBins(answers: readonly Confidence[], binCount = 10): readonly CalibrationBin[] {
  return Array.from({ length: binCount }, (_, at) => {
    const inside = answers.filter(({ confidence }) =>
      Math.min(binCount - 1, Math.floor(confidence * binCount)) === at
    );
    return {
      from: at / binCount,
      to: (at + 1) / binCount,
      count: inside.length,
      meanConfidence: ratio(inside.reduce((sum, { confidence }) => sum + confidence, 0), inside.length),
      accuracy: ratio(inside.filter(({ right }) => right).length, inside.length),
    };
  });
}

/** The expected calibration error: how far confidence and accuracy lie apart, weighed by bin (Guo et al. 2017). */
export function expectedCalibrationError(answers: readonly Confidence[], binCount = 10): number {
  const gaps = calibrationBins(answers, binCount).map((bin) =>
    bin.count * Math.abs(bin.meanConfidence - bin.accuracy)
  );
  return ratio(gaps.reduce((sum, gap) => sum + gap, 0), answers.length);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
