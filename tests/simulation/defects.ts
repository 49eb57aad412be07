// Defects to plant in the core, each as a small change of its text: the simulation has to find every one of them.

/** One defect. */
export interface Defect {
  readonly name: string;
  /** A symbol that one file of the core exports: the defect goes into that file, wherever it lies. */
  readonly exported: string;
  /** Stands in that file exactly once. */
  readonly text: string;
  readonly instead: string;
  /** It shows only where keys are parked, and seldom: nothing else is played. */
  readonly parksKeys?: true;
}

/** The planted defects. */
export const DEFECTS: readonly Defect[] = [
  {
    name: "what waits to be dead-lettered is never given back",
    exported: "Backpressure",
    text: "partition.asideRecords -= 1;\n    partition.asideBytes -= bytes;",
    instead: "partition.asideBytes += bytes;",
  },
  {
    name: "a partition runs further ahead than its offset map can say",
    exported: "ReadyRecords",
    text: "if (next === undefined || !this.#fits(partition, next.offset)) return undefined;",
    instead: "if (next === undefined) return undefined; void this.#fits;",
  },
  {
    name: "the watermark is off by one",
    exported: "Ledger",
    text: "return this.#start.next?.offset ?? this.#position;",
    instead: "return this.#start.next === undefined ? this.#position : this.#start.next.offset + 1;",
  },
  {
    name: "results of a revoked epoch are taken",
    exported: "attemptFinished",
    text: `if (delivery.partition.revoked) return dispatcher.dropStale(delivery);
  const before`,
    instead: "const before",
  },
  {
    name: "a dead letter is settled before it is confirmed",
    exported: "Machine",
    text: `outbox.push({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });`,
    instead: `outbox.push({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
      this.#parts.assignment.settle(bad, nowMs);`,
  },
  {
    name: "a dead letter that was not written is settled",
    exported: "Machine",
    text: "return parts.deadLetters.recordFailed(event.delivery, nowMs);",
    instead: "return deadLetterWritten(parts, event.delivery, undefined, nowMs);",
  },
  {
    name: "attempts are counted while the breaker is open",
    exported: "FailureJudge",
    text: `return suspectsOnly ? this.#ask(delivery, { counts: true, pauses: true }, nowMs) : "not_counted";`,
    instead: `return suspectsOnly ? this.#ask(delivery, { counts: true, pauses: true }, nowMs) : "counts";`,
  },
  {
    name: "what was well before speaks for the pool now",
    exported: "HealthWindow",
    text: "if (!sample.failed && sample.atMs > sinceMs) counts.succeededSince += 1;",
    instead: "if (!sample.failed) counts.succeededSince += 1; void sinceMs;",
  },
  {
    name: "the answer of /readyz is ignored",
    exported: "FailureJudge",
    text: "if (ready && question.counts && (paused || !pausedNow)) return",
    instead: "void ready; void paused; if (question.counts) return",
  },
  {
    name: "failures of retries are taken for failures of new records",
    exported: "FailureJudge",
    text: "if (!delivery.hasFailed) this.#health.recordFailure(nowMs);",
    instead: "this.#health.recordFailure(nowMs);",
  },
  {
    name: "records that failed before fill the permits",
    exported: "Dispatcher",
    text: "return this.#suspects.size < Math.max(1, Math.floor(this.permits * share));",
    instead: "return this.#suspects.size < this.permits || share > 1;",
  },
  {
    name: "what half of the records fail of is taken for poison",
    exported: "HealthWindow",
    text: `if (othersSucceed && !many) return { kind: "poison" };`,
    instead: `if (othersSucceed) return { kind: "poison" };`,
  },
  {
    name: "five bad records in a row are an outage",
    exported: "HealthWindow",
    text: "if (lastedMs >= Math.min(VERDICT.rowEndlessMaxMs, endlessMs)) return true;",
    instead: "if (lastedMs >= 0 * endlessMs) return true;",
  },
  {
    name: "the map of another offset is trusted",
    exported: "encodeOffsetMap",
    text: "if (base !== committed) return untrusted(`it is about offset ${base}, not ${committed}`);",
    instead: "",
  },
  {
    name: "a damaged map is trusted",
    exported: "encodeOffsetMap",
    text: 'if (checksum !== fnv1a(body)) return untrusted("its checksum is wrong");',
    instead: "void checksum;",
  },
  {
    name: "runs in the map are one offset short",
    exported: "encodeOffsetMap",
    text: "runs.push(first - runEnd, last + 1 - first);",
    instead: "runs.push(first - runEnd, last - first);",
  },
  {
    name: "a permit leaks on a timeout",
    exported: "attemptFinished",
    text: `dispatcher.returnPermit(delivery);
  if (delivery.takenByOperator) return deadLetters.enqueueWithoutToken(delivery, "operator");
  switch`,
    instead: `if (outcome.kind !== "timeout") dispatcher.returnPermit(delivery);
  switch`,
  },
  {
    name: "a permit leaks when a partition was revoked",
    exported: "Dispatcher",
    text: "this.returnPermit(delivery);\n    this.#endBatched(delivery);",
    instead: "this.#endBatched(delivery);",
  },
  {
    name: "a probe takes a permit that is not there",
    exported: "Dispatcher",
    text: "return this.#inFlight < this.permits && !idle && this.#rateAdmits(nowMs);",
    instead: "return (this.#breaker.pause !== undefined || this.#inFlight < this.permits) && !idle;",
  },
  {
    name: "a lane is released while its record waits",
    exported: "requeueDue",
    text: "retries.add(delivery, nowMs + waitMs);",
    instead: `retries.add(delivery, nowMs + waitMs);
  ready.release(delivery);`,
  },
  {
    name: "a new owner does not wait for its own old attempts",
    exported: "ReadyRecords",
    text:
      "if (revoked || this.#rules.parkKeys && !parking.known || this.#lingering.has(id)) return undefined;",
    instead: "if (revoked || this.#rules.parkKeys && !parking.known) return undefined; void id;",
  },
  {
    name: "dead letters cost nothing",
    exported: "DeadLetterBudget",
    text: "this.#tokens -= 1;",
    instead: "",
  },
  {
    name: "a part-filled batch never leaves",
    exported: "BatchGate",
    text: "if (ready < this.#config.size && !lingered) return false;",
    instead: "if (ready < this.#config.size) return false; void lingered;",
  },
  {
    name: "a batch that lost its partition never ends",
    exported: "Dispatcher",
    text: `if (delivery.state === "in_flight") return;
    this.#endBatched(delivery);`,
    instead: `if (delivery.state === "in_flight") return;`,
  },
  {
    name: "a retry is dropped",
    exported: "RetrySchedule",
    text: `if (due.state === "waiting") return due;`,
    instead: `if (due.state === "waiting" && due.failures !== 3) return due;`,
  },
  {
    name: "a Retry-After of 0 is taken at its word",
    exported: "requeueDue",
    text: "return asked > 0 ? asked : backoffMs(",
    instead: "return asked >= 0 ? asked : backoffMs(",
  },
  {
    name: "a record that meets full replicas only never waits",
    exported: "requeueDue",
    text: "const waitMs = again ? Math.max(1, Math.round(parts.random() * FULL_AGAIN_MAX_MS)) : 0;",
    instead: "const waitMs = again ? 0 : 0;",
  },
  {
    name: "in sync mode a permit is free before the commit",
    exported: "attemptFinished",
    text: "const held = parts.policy.holdUntilCommitted;",
    instead: "const held = false;",
  },
  {
    name: "the breaker never closes",
    exported: "FailureJudge",
    text: "this.breaker.close();",
    instead: "",
  },
  {
    name: "a misconfiguration counts against the record",
    exported: "attemptFinished",
    text: "return follow(parts, delivery, judge.refused(delivery, outcome, nowMs), nowMs);",
    instead: "return retryCounted(parts, delivery, nowMs);",
  },
  {
    name: "paused partitions never go on",
    exported: "Backpressure",
    text: "const paused = this.#full || this.#isFull(partition);",
    instead: "const paused = partition.paused || this.#full || this.#isFull(partition);",
  },
  {
    name: "memory of a revoked partition is never given back",
    exported: "Assignment",
    text: "this.#backpressure.forget(partition);",
    instead: "",
  },
  {
    name: "a refused commit is taken for confirmed",
    exported: "Commits",
    text: "if (!ok) {",
    instead: "if (!ok && id < 0) {",
  },
  {
    name: "what a refused commit left behind is taken for known",
    exported: "Commits",
    text: "partition.committed = undefined;\n      partition.commitSent",
    instead: "partition.commitSent",
  },
  {
    name: "fast gives partitions away with what it has not settled",
    exported: "Commits",
    text: `if (this.#policy.extent === "received" && !leaving)`,
    instead: `if (this.#policy.extent === "received")`,
  },
  {
    name: "a drain ends while records wait for their retry",
    exported: "Assignment",
    text: "if (partition.paused || partition.backlog() > 0) return false;",
    instead: "if (partition.paused || partition.inFlight > 0) return false;",
  },
  {
    name: "a stop does not wait for what is in flight",
    exported: "Machine",
    text: "if (working && !late) return;",
    instead: "",
  },
  {
    name: "a parked key's records are sent",
    exported: "ParkedKeys",
    text: "if (!isParked) return SEND;\n    //",
    instead: "if (isParked || !isParked) return SEND;\n    //",
  },
  {
    name: "a key is free as soon as its dead letters are sent for a replay",
    exported: "ParkedKeys",
    text: "if (returning !== undefined) return {",
    instead: "if (returning !== undefined && returning.origin < 0) return {",
  },
  {
    name: "a replay counts as settled before it is",
    exported: "LetterLog",
    text: "if (!isSettled(place)) continue;",
    instead: "void isSettled(place);",
  },
  {
    name: "a new owner does not ask which keys are parked",
    exported: "ReadyRecords",
    text:
      "if (revoked || this.#rules.parkKeys && !parking.known || this.#lingering.has(id)) return undefined;",
    instead: "if (revoked || this.#lingering.has(id)) return undefined; void parking;",
  },
  {
    name: "a key is not parked until the dead-letter topic is read again",
    exported: "ParkedKeys",
    text: "if (letter.offset >= this.#upTo) this.#add(letter);",
    instead: "void letter;",
  },
  {
    name: "a replay passes one that lies behind it",
    parksKeys: true,
    exported: "ParkedKeys",
    text: "const before = isParked ? first : overtakenBy(letters, own.offset, { at, offset });",
    instead: "const before = isParked ? first : undefined; void overtakenBy;",
  },
  {
    name: "a replay is parked by what was known before it was sent",
    exported: "ParkedKeys",
    text: `return this.#isEarly(replayOf) ? { kind: "early" } : park(before);`,
    instead: "return this.#isEarly(replayOf) ? park(before) : park(before);",
  },
  {
    name: "what waits for a replay waits for ever",
    exported: "applyLetters",
    text: `partition.parking.apply(update);
  ready.resumeDeferred(partition);`,
    instead: `partition.parking.apply(update);
  void ready;`,
  },
  {
    name: "what waits for a replay fills the memory that the replay needs",
    exported: "applyLetters",
    text: "if (paused) return park(parts, delivery, decision.behind);",
    instead: "void paused;",
  },
  {
    name: "what is paused is sent where it was ready before",
    exported: "ReadyRecords",
    text: "if (partition.revoked || partition.held) return undefined;",
    instead: "if (partition.revoked) return undefined;",
  },
  {
    name: "what is assigned while an operator holds it is sent",
    exported: "Machine",
    text: `parts.assignment.assign(event.epoch, event.partitions, nowMs);
        return applyFlow(parts, this.#flow, nowMs);`,
    instead: "return parts.assignment.assign(event.epoch, event.partitions, nowMs);",
  },
  {
    name: "what an operator resumes is not sent until something new comes",
    exported: "ReadyRecords",
    text: `if (!held) this.#count(partition, partition.startable);
    this.offer(partition);`,
    instead: "if (!held) this.#count(partition, partition.startable);",
  },
  {
    name: "each consumer takes the group's limits for its own",
    exported: "shareOf",
    text: "return partitions === undefined ? 1 : own / Math.max(partitions, own, 1);",
    instead: "return partitions === undefined ? own : 1;",
  },
  {
    name: "a rate is made up for after an idle time",
    exported: "RateGate",
    text: "Math.max(this.#nextMs, nowMs - SLACK_MS)",
    instead: "Math.max(this.#nextMs, nowMs - 600 * SLACK_MS)",
  },
  {
    name: "the group's ceiling is not kept",
    exported: "Dispatcher",
    text: "this.#permitsMax = permitsMax ?? Infinity;",
    instead: "this.#permitsMax = Infinity; void permitsMax;",
  },
  {
    name: "what was fetched for an assignment before is taken",
    exported: "Assignment",
    text: "if (partition === undefined || partition.epoch !== event.epoch) return [];",
    instead: "if (partition === undefined) return [];",
  },
  {
    name: "a partition whose commit is refused alone is taken for confirmed",
    exported: "Commits",
    text: "for (const line of commit.marks) if (!refused.includes(line)) this.#confirmed(id, line, nowMs);",
    instead: `for (const line of commit.marks) this.#confirmed(id, line, nowMs);
    refused = [];`,
  },
  {
    name: "an offset alone says that a record is a dead letter already",
    parksKeys: true,
    exported: "ParkedKeys",
    text: '`${at}/${offset}@${timestampMs}/${letter ?? ""}\\n${key}`;',
    instead: '`${at}/${offset}@${timestampMs * 0}/${letter ?? ""}\\n${key}`;',
  },
  {
    name: "a partition that comes back begins no earlier than the last time",
    exported: "Assignment",
    text: `const partition = new Partition<R>(at, epoch, { offset, metadata: metadata ?? "" }, inherited);`,
    instead: `const seen: Record<string, number> = (this as { seen?: Record<string, number> }).seen ??= {};
      const first = seen[partitionId(at)] = Math.max(seen[partitionId(at)] ?? 0, offset);
      const partition = new Partition<R>(at, epoch, { offset: first, metadata: metadata ?? "" }, inherited);`,
  },
  {
    name: "a record's own time is taken for the machine's",
    parksKeys: true,
    exported: "Delivery",
    text: "this.receivedMs = nowMs;",
    instead: "this.receivedMs = received.timestampMs + 0 * nowMs;",
  },
  {
    name: "a member whose commits are refused asks no more",
    exported: "Commits",
    text: `this.#notBeforeMs = nowMs + RETRY_MS;
    if (this.#dirty.size > 0) this.#due(nowMs);`,
    instead: "this.#notBeforeMs = nowMs + RETRY_MS;",
  },
];
