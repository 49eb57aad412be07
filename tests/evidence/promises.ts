// The promises of the README, each with the command that shows it, what that does not show, and the fault that makes it fail.

/** A fault to plant in a copy of the project: the command `fails` must then fail. */
export interface PlantedFault {
  readonly name: string;
  /** A symbol that one file exports: the fault goes into that file, wherever it lies. */
  readonly exported: string;
  /** Stands in that file exactly once. */
  readonly text: string;
  readonly instead: string;
  /** A quick command that is green without the fault. */
  readonly fails: string;
}

/** One promise, or several that one command shows. */
export interface Evidence {
  readonly id: string;
  /** Sentences of the README's section "What is guaranteed", word for word without markup; or a row's first cell. */
  readonly promises: readonly string[];
  readonly command: string;
  /** Reads the figures in what the command prints: a named group each, or how many lines match where it is global. */
  readonly figures: RegExp;
  readonly doesNotShow: string;
  /** The name of a defect that the simulation plants and finds in every run of CI, or a fault of its own. */
  readonly fault: string | PlantedFault;
}

const TESTS = /(?<passed>\d+) passed(?: \((?<steps>\d+) steps\))? \| (?<failed>\d+) failed/;
const SIM =
  /(?<schedules>\d+) schedules hold: (?<events>\d+) events, (?<attempts>\d+) attempts, (?<dead_letters>\d+) dead letters, (?<hours>\d+) hours of virtual time/;
const SIMULATION = "deno task sim --seeds 10000";
const A_MODEL =
  "Kafka is a model of Kafka there; `deno task test:real` plays the same with brokers, for minutes instead of hours.";

/** Every promise has a row here: tests/unit/evidence_test.ts holds the README against it. */
export const EVIDENCE: readonly Evidence[] = [
  {
    id: "nothing-lost",
    promises: [
      "At least once, nothing lost.",
      "An offset is committed only when every record below it is settled: labelled, or written to the dead-letter topic and confirmed by the broker.",
    ],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: A_MODEL,
    fault: "a dead letter that was not written is settled",
  },
  {
    id: "redelivered",
    promises: [
      "After kill -9 the records in flight and those settled since the last commit are delivered again; after a clean stop none are.",
    ],
    command: "deno task test:real tests/real/campaigns_test.ts tests/integration/consumer_process_test.ts",
    figures: TESTS,
    doesNotShow: "A machine that loses its disk, or brokers that lose what they confirmed.",
    fault: "a stop does not wait for what is in flight",
  },
  {
    id: "permits-busy",
    promises: ["No slot idles behind a slow call."],
    command: "deno task bench:busy --records 4000",
    figures: /permits busy until the last record was sent: (?<busy_share>[\d.]+)/,
    doesNotShow: "Workers on other machines: everything runs on loopback.",
    fault: "a permit leaks on a timeout",
  },
  {
    id: "offset-map",
    promises: [
      "Records settle out of order; what is settled above the watermark is kept in the commit's metadata, so that whoever gets the partition next skips it.",
    ],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: A_MODEL,
    fault: "the map of another offset is trusted",
  },
  {
    id: "stuck-record",
    promises: ["One stuck record holds the watermark, never a permit."],
    command: "deno task test tests/unit/consumer/core",
    figures: TESTS,
    doesNotShow:
      "How long an operator leaves it stuck: the offset map's bound stops its partition in the end.",
    fault: "a partition runs further ahead than its offset map can say",
  },
  {
    id: "outage",
    promises: [
      "An outage dumps nothing.",
      "A failed attempt counts against a record only while other records succeed.",
    ],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: "An outage that spares the records tried for the first time.",
    fault: "attempts are counted while the breaker is open",
  },
  {
    id: "probes",
    promises: [
      "When records that are tried for the first time fail as well, delivery pauses and one probe at a time goes out.",
    ],
    command:
      "deno task test tests/integration/worker_outage_test.ts tests/integration/consumer_failures_test.ts",
    figures: TESTS,
    doesNotShow: "Outages of other kinds than those of these tests; the simulation draws them at random.",
    fault: "the breaker never closes",
  },
  {
    id: "dead-letters",
    promises: [
      "Dead letters are paid for with tokens on top of that, and every one of them can be replayed.",
    ],
    command: "deno task test tests/integration/dlq_test.ts",
    figures: TESTS,
    doesNotShow: "Dead letters that the topic's own retention has deleted.",
    fault: "dead letters cost nothing",
  },
  {
    id: "paid-once",
    promises: ["No LLM call is paid twice once its answer is stored: when it may be."],
    command: "deno task campaign:payments --tickets 2000",
    figures:
      /(?<tickets>\d+) tickets in[\s\S]*LLM calls: (?<calls>\d+)[\s\S]*paid for twice: (?<paid_twice_in_flight_at_a_kill>\d+)[\s\S]*nothing explains: (?<unexplained>\d+)/,
    doesNotShow: "Providers that bill for a call whose answer never arrived.",
    fault: {
      name: "a stored label is bought again",
      exported: "beginResultOf",
      text:
        'return label === undefined ? { kind: "held" } : { kind: "known", label, applied: row.applied === true };',
      instead: 'return { kind: "claimed", claims: 1 };',
      fails: "deno test -A --quiet tests/contract/postgres_store_test.ts",
    },
  },
  {
    id: "fence",
    promises: [
      "An older event never overwrites a newer one's label, and a label is always one of the taxonomy.",
    ],
    command: "deno task test tests/unit/worker/core tests/contract",
    figures: TESTS,
    doesNotShow: "Producers whose clocks are wrong by more than a minute, across partitions.",
    fault: {
      name: "the larger offset is the older event",
      exported: "isOlder",
      text: "return contradicted ? event.atMs < than.atMs : a.offset < b.offset;",
      instead: "return contradicted ? event.atMs < than.atMs : a.offset > b.offset;",
      fails: "deno test -A --quiet tests/unit/worker/core/fence_test.ts",
    },
  },
  {
    id: "taxonomy",
    promises: [
      "An older event never overwrites a newer one's label, and a label is always one of the taxonomy.",
    ],
    command: "deno task test tests/unit/worker/core/answer tests/integration/worker_models_test.ts",
    figures: TESTS,
    doesNotShow: "That the label is the right one: `deno task eval` measures that.",
    fault: {
      name: "what the model names becomes a label",
      exported: "readCompletion",
      text: "const label = labelNamed(taxonomy, named.trim());",
      instead: "const label: string | undefined = named.trim(); void taxonomy;",
      fails: "deno test -A --quiet tests/unit/worker/core/answer/completion_test.ts",
    },
  },
  {
    id: "modes",
    promises: ["parallel", "key", "partition"],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: A_MODEL,
    fault: "a lane is released while its record waits",
  },
  {
    id: "batch-mode",
    promises: ["batch"],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: A_MODEL,
    fault: "a part-filled batch never leaves",
  },
  {
    id: "fast-mode",
    promises: ["fast"],
    command: SIMULATION,
    figures: SIM,
    doesNotShow: "How many records a crash costs in this mode: what was received and not yet answered.",
    fault: "fast gives partitions away with what it has not settled",
  },
  {
    id: "status-contract",
    promises: ["status contract"],
    command: "deno task test tests/unit/shared/contract tests/unit/consumer/core/outcomes",
    figures: TESTS,
    doesNotShow: "Workers whose proxies change statuses on the way.",
    fault: {
      name: "409 consumes attempts",
      exported: "STATUS_CONTRACT",
      text: "matches: status(409, 425),",
      instead: "matches: status(425),",
      fails: "deno test -A --quiet tests/unit/shared/contract tests/unit/consumer/core/outcomes",
    },
  },
  {
    id: "threat-model",
    promises: ["threat model"],
    command: "deno task attack",
    figures: /^held {2}(?=.)/gm,
    doesNotShow: "Attackers with a place on the network between the parts: put TLS there.",
    fault: {
      name: "any page may act for an operator",
      exported: "accessCheck",
      text:
        'return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header("host"));',
      instead: "return false && origin;",
      fails: "deno test -A --quiet tests/unit/consumer/admin/access_test.ts",
    },
  },
];
