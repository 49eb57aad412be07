// Parts: what the machine is made of. Each part changes only itself; a rule about several of them is a function.

import { Assignment } from "./assignment.ts";
import { Commits } from "./commits.ts";
import type { MachineConfig } from "./config.ts";
import { DeadLetterQueue } from "./dead_letter_queue.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { FailureJudge } from "./outcomes/judge.ts";
import type { Outbox } from "./events.ts";
import { BatchGate } from "./policies/batch_gate.ts";
import { type DeliveryPolicy, policyFor } from "./policies/delivery_mode.ts";
import { ReadyRecords } from "./dispatch/ready_records.ts";
import { RetrySchedule } from "./dispatch/retry_schedule.ts";

/** Everything that has state, and what it was made with. */
export interface Parts<R> {
  readonly config: MachineConfig;
  readonly policy: DeliveryPolicy;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly outbox: Outbox<R>;
  readonly commits: Commits<R>;
  readonly assignment: Assignment<R>;
  readonly judge: FailureJudge<R>;
  readonly ready: ReadyRecords<R>;
  readonly dispatcher: Dispatcher<R>;
  readonly retries: RetrySchedule<R>;
  readonly deadLetters: DeadLetterQueue<R>;
}

/** Makes the parts of one machine. */
export function createParts<R>(config: MachineConfig, random: () => number, nowMs: number): Parts<R> {
  const policy = policyFor(config.mode, config.commits);
  const startRules = {
    parkKeys: config.parkKeys,
    ordered: policy.order !== "none",
    maxAttempts: config.maxAttempts,
    metadataBytesMax: config.metadataBytesMax,
  };
  const outbox: Outbox<R> = [];
  const commits = new Commits<R>(policy, config.commitIntervalMs, config.metadataBytesMax);
  const assignment = new Assignment<R>(policy, config.bounds, commits, outbox);
  const judge = new FailureJudge(outbox);
  const ready = new ReadyRecords<R>(startRules);
  const gate = policy.batched ? new BatchGate(config.batch) : undefined;
  return {
    config,
    policy,
    random,
    outbox,
    commits,
    assignment,
    judge,
    ready,
    dispatcher: new Dispatcher(ready, judge.breaker, outbox, gate),
    retries: new RetrySchedule(),
    deadLetters: new DeadLetterQueue(config.deadLetters, assignment, random, nowMs),
  };
}
