// Good records beside a share of bad ones, and outages of the same shapes: in virtual time, or on real Kafka (`--kafka`).

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { textTable } from "../../../shared/text_table.ts";
import type { DeliveryMode } from "../../../consumer/core/policies/delivery_mode.ts";
import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { flagsOf } from "../../support/test_command.ts";
import { say } from "../stage.ts";
import { PaidWorkers } from "./paid_workers.ts";
import { type KafkaLoad, type Measured, playOnKafka } from "./poison_kafka.ts";
import { type Load, type MeasuredCore, type Outage, play, type Played } from "./poison_model.ts";

const values = flagsOf("bench:poison", "Good records beside bad ones, and outages of the same shapes.", {
  kafka: { type: "boolean", default: false },
  paid: { type: "boolean", default: false },
  seconds: { type: "string", default: "90" },
  seeds: { type: "string", default: "3" },
  mode: { type: "string", default: "parallel" },
  partitions: { type: "string", default: "4" },
  only: { type: "string", default: "" },
  "at-once": { type: "string", default: "6" },
  core: { type: "string", default: "." },
});

/** Name, good and bad records a second: beside 20 good ones, and as a share of 20 in all. */
const SHARES: readonly (readonly [string, number, number])[] = [
  ["none", 20, 0],
  ["5%, 1 beside 20", 20, 1],
  ["9%, 2 beside 20", 20, 2],
  ["10% of 20", 18, 2],
  ["30% of 20", 14, 6],
  ["60% of 20", 8, 12],
  ["80% of 20", 4, 16],
  ["90% of 20", 2, 18],
  ["30%, 8.6 beside 20", 20, 60 / 7],
  ["80%, 80 beside 20", 20, 80],
];

const BASE: Load = {
  goodPerSecond: 20,
  badPerSecond: 0,
  burst: 1,
  forMs: Number(values.seconds) * 1000,
  partitions: Number(values.partitions),
  replicas: 1,
  concurrency: 8,
  seed: 1,
  machine: { mode: values.mode as DeliveryMode },
};

const half = (hits: "half of attempts" | "half of records", hangs = false): readonly Outage[] => [
  { fromMs: 20_000, toMs: 80_000, hits, hangs },
];
const total = (fromMs: number, toMs: number, hangs = false): readonly Outage[] => [
  { fromMs, toMs, hits: "all", hangs },
];
const OUTAGES: readonly (readonly [string, Partial<Load> & { readonly outages: readonly Outage[] }])[] = [
  ["all for 30 s", { outages: total(30_000, 60_000) }],
  ["all for 30 s, hanging", { outages: total(30_000, 60_000, true) }],
  ["half of attempts for 60 s", { outages: half("half of attempts") }],
  ["half of records for 60 s", { outages: half("half of records") }],
  ["half of records for 60 s, hanging", { outages: half("half of records", true) }],
  ["8 times all for 1 s", {
    outages: Array.from({ length: 8 }, (_, each) => total(10_000 + each * 5000, 11_000 + each * 5000)).flat(),
  }],
  ["all for 90 s, a record in 5 s", { goodPerSecond: 0.2, outages: total(30_000, 120_000) }],
  ["all for 90 s, a record in 30 s", { goodPerSecond: 1 / 30, outages: total(60_000, 150_000) }],
  ["all for 30 s beside 30% bad", { badPerSecond: 60 / 7, outages: total(30_000, 60_000) }],
];

type NamedLoad = readonly [name: string, load: Load];

function poisonLoads(): readonly NamedLoad[] {
  return [1, 4].flatMap((replicas) =>
    [1, 10].flatMap((burst) =>
      SHARES.map(([name, goodPerSecond, badPerSecond]): NamedLoad => [
        `${replicas} ${burst === 1 ? "steady" : "in tens"} ${name}`,
        { ...BASE, replicas, burst, goodPerSecond, badPerSecond },
      ]).filter(([, { badPerSecond }]) => burst === 1 || badPerSecond > 0)
    )
  );
}

async function coreOf(folder: string): Promise<MeasuredCore> {
  const load = (path: string) => import(pathToFileURL(resolve(folder, path)).href);
  const { Machine } = await load("consumer/core/machine.ts");
  const { Balancer } = await load("shared/pool/replicas/balancer.ts");
  return { Machine, Balancer };
}

function poisonTable(core: MeasuredCore): string {
  const rows = poisonLoads().map(([name, load]) => {
    const played = seeds(load, core);
    const plain = seeds({ ...load, badPerSecond: 0 }, core);
    const mean = (of: (one: Played) => number) => sum(played, of) / played.length;
    return [
      name,
      `${sum(played, ({ delivered }) => delivered)} of ${sum(plain, ({ delivered }) => delivered)}`,
      percent(sum(played, ({ delivered }) => delivered) / sum(plain, ({ delivered }) => delivered)),
      percent(mean(({ paused }) => paused)),
      String(Math.round(mean(({ deadLetters }) => deadLetters))),
      String(Math.max(...played.map(({ p50Ms }) => p50Ms))),
      String(Math.max(...played.map(({ p99Ms }) => p99Ms))),
      mean(({ badAttempts }) => badAttempts).toFixed(1),
      String(Math.round(mean(({ readinessChecks }) => readinessChecks))),
      String(Math.round(mean(({ posts }) => posts))),
    ];
  });
  return textTable([
    [
      "replicas, bad records",
      "good",
      "share",
      "outage",
      "letters",
      "p50 ms",
      "p99 ms",
      "counted",
      "/readyz",
      "POSTs",
    ],
    ...rows,
  ]);
}

function outageTable(core: MeasuredCore): string {
  const rows = OUTAGES.flatMap(([name, more]) =>
    (["honest", "always yes", "always no"] as const).map((readyz) => {
      const load: Load = { ...BASE, ...more, readyz, forMs: 300_000 };
      const played = seeds(load, core);
      const plain = seeds({ ...load, outages: [], badPerSecond: 0 }, core);
      const most = (of: (one: Played) => number) => String(Math.max(...played.map(of)));
      return [
        name,
        readyz,
        percent(sum(played, ({ delivered }) => delivered) / sum(plain, ({ delivered }) => delivered)),
        most(({ goodAttemptsMax }) => goodAttemptsMax),
        String(sum(played, ({ goodDeadLetters }) => goodDeadLetters)),
        percent(sum(played, ({ paused }) => paused) / played.length),
        most(({ pauses }) => pauses),
        most(({ p99Ms }) => p99Ms),
      ];
    })
  );
  return textTable([
    ["outage", "/readyz", "good", "attempts", "good letters", "paused", "pauses", "p99 ms"],
    ...rows,
  ]);
}

async function kafkaTable(): Promise<string> {
  await using kafka = await RealKafka.start();
  const chosen = new RegExp(values.only);
  const loads = poisonLoads().filter(([name]) => chosen.test(name))
    .map(([name, load]): KafkaLoad => ({ ...load, name }));
  const rows: string[][] = [];
  while (loads.length > 0) {
    const batch = loads.splice(0, Number(values["at-once"]));
    const measured = await Promise.all(batch.map((load) => playOnKafka(load, kafka.brokers, values.core)));
    batch.forEach(({ name }, each) => {
      const one = measured[each];
      if (one === undefined) return;
      rows.push(kafkaRow(name, one));
      say(rows.at(-1)?.join("  ") ?? "");
    });
  }
  return textTable([
    ["replicas, bad records", "good", "share", "outage", "letters", "p50 ms", "p99 ms"],
    ...rows,
  ]);
}

/** Shares of a second's 20 records, as the real worker and a model that counts its calls see them. */
const PAID_SHARES: readonly (readonly [string, number, number])[] = [
  ["0%", 20, 0],
  ["30%", 14, 6],
  ["60%", 8, 12],
  ["80%", 4, 16],
];

async function paidTable(): Promise<string> {
  await using kafka = await RealKafka.start();
  const rows: string[][] = [];
  for (const callsMax of [1_000, 6]) {
    for (const [share, goodPerSecond, badPerSecond] of PAID_SHARES) {
      const name = `${share}, TICKET_CALLS_MAX ${callsMax}`;
      if (!new RegExp(values.only).test(name)) continue;
      const workers = await PaidWorkers.start(BASE.replicas, callsMax);
      const load = { ...BASE, goodPerSecond, badPerSecond, name };
      const measured = await playOnKafka(load, kafka.brokers, resolve(values.core), workers);
      const bad = Math.floor(badPerSecond * BASE.forMs / 1000);
      const { good: goodCalls, bad: badCalls, most } = workers.calls;
      const [, ...figures] = kafkaRow(name, measured);
      rows.push([
        name,
        ...figures,
        `${goodCalls}`,
        `${badCalls}`,
        bad === 0 ? "" : (badCalls / bad).toFixed(2),
        `${most}`,
      ]);
      say(rows.at(-1)?.join("  ") ?? "");
    }
  }
  return textTable([
    [
      "bad records",
      "good",
      "share",
      "outage",
      "letters",
      "p50 ms",
      "p99 ms",
      "paid, good",
      "paid, bad",
      "each bad",
      "most",
    ],
    ...rows,
  ]);
}

function kafkaRow(name: string, { good, delivered, deadLetters, paused, p50Ms, p99Ms }: Measured): string[] {
  const share = percent(delivered / good);
  return [name, `${delivered} of ${good}`, share, percent(paused), `${deadLetters}`, `${p50Ms}`, `${p99Ms}`];
}

function seeds(load: Load, core: MeasuredCore): readonly Played[] {
  return Array.from({ length: Number(values.seeds) }, (_, each) => play({ ...load, seed: each + 1 }, core));
}

function sum(played: readonly Played[], of: (one: Played) => number): number {
  return played.reduce((total, one) => total + of(one), 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

if (values.paid) {
  say(`\n${await paidTable()}`);
} else if (values.kafka) {
  say(`\n${await kafkaTable()}`);
} else {
  const core = await coreOf(values.core);
  if (values.only !== "outages") say(poisonTable(core));
  if (values.only !== "poison") say(`\n${outageTable(core)}`);
}
