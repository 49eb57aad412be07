// The clean-stop campaign: a consumer gets SIGTERM under load, another takes over; nothing settled may come again.

import { committedToTheEnd, settled } from "../crash/crash.ts";
import { type Consumer, Deployment, endCleanly } from "../stage/deployment.ts";
import { countLabels } from "../stage/load.ts";
import type { Findings } from "../stage/report.ts";

/** `no new request from that moment`: what a signal itself may take to arrive on a busy machine. */
const SIGNAL_TAKES_MS = 250;

/** How many stops under what load. */
export interface CleanStopOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly tickets: number;
  readonly stops: number;
  readonly partitions: number;
  readonly replicas: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly report: (what: string) => void;
}

/** One stop. */
interface Stop {
  readonly inFlightAtSignal: number;
  /** POSTs the consumer still began after the signal. */
  readonly begunAfterSignal: number;
  readonly tookMs: number;
  /** Settled when the consumer had ended. */
  readonly settled: ReadonlySet<string>;
  /** Sent and unsettled then: retries that were dropped. */
  readonly dropped: ReadonlySet<string>;
  readonly endedMs: number;
}

/** Runs the campaign to its end. */
export async function runCleanStopCampaign(options: CleanStopOptions): Promise<Findings> {
  await using deployment = await Deployment.start(options);
  await deployment.feed(options.tickets);
  const stops: Stop[] = [];
  let consumer = await deployment.startConsumer("consumer 1");
  for (let nth = 1; nth <= options.stops; nth++) {
    await settled(deployment, Math.floor(options.tickets * nth / (options.stops + 1)));
    options.report(`SIGTERM after ${deployment.journal.settled.size} settled tickets`);
    stops.push(await stop(deployment, consumer));
    consumer = await deployment.startConsumer(`consumer ${nth + 1}`);
  }
  await committedToTheEnd(deployment);
  await endCleanly(consumer.process);
  await deployment.stopReplicas();
  return await findings(options, deployment, stops);
}

async function stop({ journal }: Deployment, { name, process }: Consumer): Promise<Stop> {
  const signalledMs = Date.now();
  const inFlightAtSignal = journal.inFlight().size;
  await endCleanly(process);
  const endedMs = Date.now();
  const late = journal.posts.filter(({ sender, sentAtMs }) =>
    sender === name && sentAtMs > signalledMs + SIGNAL_TAKES_MS
  );
  return {
    inFlightAtSignal,
    begunAfterSignal: late.length,
    tookMs: endedMs - signalledMs,
    settled: new Set(journal.settled.keys()),
    dropped: journal.inFlight(),
    endedMs,
  };
}

async function findings(
  options: CleanStopOptions,
  { journal, databaseUrl, offsets, deadLetterTopic }: Deployment,
  stops: readonly Stop[],
): Promise<Findings> {
  const sentAgain = (keys: ReadonlySet<string>, { endedMs }: Stop) =>
    keys.intersection(
      new Set(journal.posts.filter(({ sentAtMs }) => sentAtMs > endedMs).map(({ key }) => key)),
    ).size;
  const redelivered = stops.reduce((sum, stop) => sum + sentAgain(stop.settled, stop), 0);
  const late = stops.reduce((sum, stop) => sum + stop.begunAfterSignal, 0);
  const { tickets, unlabelled } = await countLabels(databaseUrl);
  const deadLetters = await offsets.count(deadLetterTopic);
  return {
    title: `${options.tickets} tickets, ${options.stops} clean stops of the consumer under load`,
    command: `deno task campaign:clean-stop --tickets ${options.tickets} --stops ${options.stops}`,
    tables: [
      [
        [
          "stop",
          "in flight at SIGTERM",
          "begun after it",
          "ms to exit 0",
          "settled by then",
          "delivered again",
          "retries dropped",
        ],
        ...stops.map((stop, index) => [
          index + 1,
          stop.inFlightAtSignal,
          stop.begunAfterSignal,
          stop.tookMs,
          stop.settled.size,
          sentAgain(stop.settled, stop),
          stop.dropped.size,
        ]),
      ],
      [
        ["measured", "value"],
        ["tickets without a label", `${unlabelled} of ${tickets}`],
        ["dead letters", deadLetters],
      ],
    ],
    faults: [
      unlabelled > 0 ? `${unlabelled} tickets are without a label` : "",
      redelivered > 0 ? `${redelivered} settled records were delivered again` : "",
      late > 0 ? `${late} requests began after SIGTERM` : "",
      deadLetters > 0 ? `${deadLetters} dead letters` : "",
    ].filter((fault) => fault !== ""),
  };
}
