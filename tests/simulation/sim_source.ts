// A model of the Kafka adapter: membership, fetching and commits of one process.

import type { Commit } from "../../consumer/core/commits.ts";
import type { Received } from "../../consumer/core/delivery.ts";
import type { Assigned } from "../../consumer/core/events.ts";
import type { TopicPartition } from "../../consumer/records/position.ts";
import type { GroupListener } from "./broker.ts";
import { meddledMetadata } from "./meddling.ts";
import type { Process, Surroundings } from "./surroundings.ts";
import type { Owned, Watch } from "./watch.ts";
import type { SimRecord } from "./world.ts";

/** A member of the group. */
export class SimSource implements GroupListener {
  readonly #in: Surroundings;
  readonly #process: Process;
  readonly #watch: Watch;
  readonly #owned: Map<number, Owned>;
  #generation: number | undefined;
  #rebalancing = false;
  #joins = 0;
  #epoch = 0;
  #commits = 0;
  #missesJoin = false;
  /** Since when commits are refused though nobody has said that we are no member, in ms. */
  #refusedSinceMs: number | undefined;
  memberId: string;

  constructor(surroundings: Surroundings, process: Process, watch: Watch, owned: Map<number, Owned>) {
    this.#in = surroundings;
    this.#process = process;
    this.#watch = watch;
    this.#owned = owned;
    this.memberId = this.#newId();
  }

  /** Partitions may go soon. */
  get rebalancing(): boolean {
    return this.#rebalancing;
  }

  /** A member in good standing, with nothing going on. */
  get settledIn(): boolean {
    const { broker } = this.#in;
    return this.#generation === broker.generation && !broker.preparing && !this.#rebalancing;
  }

  /** Fetches what there is. */
  wake(): void {
    for (const owned of this.#owned.values()) this.#fetch(owned);
  }

  setPaused(partition: number, paused: boolean): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    owned.paused = paused;
    this.#fetch(owned);
  }

  onRebalancing(): void {
    if (!this.#process.alive) return;
    this.#rebalancing = true;
    this.#process.feed({ type: "rebalancing" });
  }

  /** The next join's answer is lost on its way: it goes on with what it had. */
  missJoin(): void {
    this.#missesJoin = true;
  }

  /** A join that did not come to its end ends the membership, at the latest when two sessions have passed. */
  #noticeHalfJoin(): void {
    const { world: { timeline, scenario }, broker } = this.#in;
    const { memberId } = this;
    timeline.after(2 * scenario.sessionTimeoutMs, () => {
      const since = this.memberId === memberId && this.#generation !== broker.generation;
      if (!this.#process.alive || !since || broker.preparing) return;
      broker.leave(memberId);
      this.onEvicted();
    });
  }

  /** A partition whose topic was made anew is begun again: at its first offset, as what it never was before. */
  noticeAnew(): void {
    for (const owned of [...this.#owned.values()]) {
      if (this.#in.world.isRetry(owned.partition)) continue;
      this.#in.world.timeline.after(this.#process.roll() * 3000, () => this.#beginAnew(owned));
    }
  }

  /** Everything is given up, and the group joined again later. */
  leaveFor(ms: number): void {
    this.#in.broker.leave(this.memberId);
    this.#lose();
    this.#in.world.timeline.after(ms, () => {
      if (this.#process.alive) this.#in.broker.join(this);
    });
  }

  onJoined(generation: number, partitions: readonly number[]): void {
    if (!this.#process.alive) return;
    if (this.#missesJoin) {
      this.#missesJoin = false;
      this.#rebalancing = false;
      this.#process.note(() => "does not hear what it joined");
      return this.#noticeHalfJoin();
    }
    this.#rebalancing = false;
    this.#generation = generation;
    const join = ++this.#joins;
    this.#revoke([...this.#owned.keys()].filter((each) => !partitions.includes(each)));
    const added = partitions.filter((each) => !this.#owned.has(each));
    this.#in.world.timeline.after(5 + this.#process.roll() * 150, () => {
      // Where the group rebalances again already, the next join brings what this one would have.
      if (this.#process.alive && join === this.#joins && !this.#rebalancing) this.#take(added);
    });
  }

  onEvicted(): void {
    if (!this.#process.alive) return;
    this.#process.note(() => "evicted");
    this.#lose();
    if (this.#process.alive) this.#in.broker.join(this);
  }

  #lose(): void {
    this.#generation = undefined;
    this.#joins += 1;
    this.#refusedSinceMs = undefined;
    this.#missesJoin = false;
    this.#rebalancing = false;
    this.#revoke([...this.#owned.keys()]);
    if (this.#process.alive) this.memberId = this.#newId();
  }

  #beginAnew(owned: Owned): void {
    const { world } = this.#in;
    const { partition } = owned;
    if (!this.#process.alive || this.#owned.get(partition) !== owned) return;
    if (owned.life === world.logs[partition]?.life) return;
    this.#process.note(() => `begins ${partition} anew`);
    this.#revoke([partition]);
    if (this.#process.alive) this.#take([partition]);
    if (this.#process.alive && this.#process.roll() < 0.5) this.#late(owned);
  }

  /** What was fetched before comes after the partition was begun again. */
  #late({ partition, epoch }: Owned): void {
    const { logs, scenario } = this.#in.world;
    const records = (logs[partition]?.gone ?? []).slice(-scenario.fetchMax).map(toReceived);
    const position = (records.at(-1)?.offset ?? -1) + 1;
    const from = this.#placeOf(partition);
    this.#process.feed({ type: "received", epoch, from, records, position, highWatermark: position });
  }

  /** Sends a commit off; it may be refused, get lost, or arrive without an answer. */
  commit(commit: Commit<SimRecord>): void {
    const { world, broker } = this.#in;
    const marks = commit.marks.map(({ partition: { partition }, mark }) => ({
      partition,
      life: this.#owned.get(partition)?.life ?? -1,
      ...mark,
    }));
    this.#process.note(() => `commits ${marks.map((mark) => `${mark.partition}@${mark.offset}`).join(" ")}`);
    const [generation, memberId, sequence] = [this.#generation, this.memberId, ++this.#commits];
    const how = world.active("commits_fail")?.how;
    const sent = 1 + this.#process.roll() * 40;
    if (generation === undefined || how === "refused") return this.#answer(commit, false, sent);
    const arrive = () => broker.commit(memberId, generation, sequence, marks);
    if (how === "late") {
      world.timeline.after(sent + this.#process.roll() * 8000, arrive);
      return this.#answer(commit, false, sent + 20);
    }
    world.timeline.after(sent, () => {
      const { ok, refused } = arrive();
      this.#answer(commit, ok && how !== "unanswered", 1 + this.#process.roll() * 40, refused);
    });
  }

  #answer(commit: Commit<SimRecord>, ok: boolean, waitMs: number, refused: readonly number[] = []): void {
    const { id, marks } = commit;
    this.#in.world.timeline.after(waitMs, () => {
      if (!this.#process.alive) return;
      this.#watch.commitFinished(id, ok, refused);
      this.#process.note(() => `commit ${id} ${ok ? "confirmed" : "refused"} ${refused}`);
      const lines = marks.filter(({ partition: { partition } }) => refused.includes(partition));
      this.#process.feed({ type: "commit_finished", id, ok, refused: lines });
      this.#notice(ok);
    });
  }

  /** A member whose commits are refused for longer than a session is none, whatever it believes. */
  #notice(ok: boolean): void {
    const { world: { timeline, scenario }, broker } = this.#in;
    if (ok || this.#generation === broker.generation || this.#generation === undefined) {
      this.#refusedSinceMs = undefined;
      return;
    }
    this.#refusedSinceMs ??= timeline.nowMs;
    if (!this.#process.alive || this.#rebalancing) return;
    if (timeline.nowMs - this.#refusedSinceMs < scenario.sessionTimeoutMs) return;
    this.#process.note(() => "is refused for longer than a session");
    broker.leave(this.memberId);
    this.onEvicted();
  }

  #placeOf(partition: number): TopicPartition {
    return { topic: this.#in.world.topicOf(partition), partition };
  }

  #newId(): string {
    return `c${this.#process.incarnation}.${this.#joins}`;
  }

  #revoke(gone: readonly number[]): void {
    for (const partition of gone) {
      this.#owned.delete(partition);
      this.#watch.revoked(partition);
    }
    if (gone.length === 0) return;
    this.#process.feed({ type: "revoked", partitions: gone.map((partition) => this.#placeOf(partition)) });
  }

  #take(added: readonly number[]): void {
    const epoch = ++this.#epoch;
    const partitions: Assigned[] = [];
    for (const partition of added) {
      const { offset, metadata } = this.#in.broker.committed(partition);
      const life = this.#in.world.logs[partition]?.life ?? 0;
      const begun = {
        from: offset,
        life,
        position: offset,
        paused: false,
        fetching: false,
        settled: new Map(),
      };
      this.#owned.set(partition, { partition, epoch, ...begun });
      const meddled = this.#in.world.scenario.meddled && this.#process.roll() < 0.5;
      const read = meddled ? meddledMetadata(metadata, offset, () => this.#process.roll()) : metadata;
      partitions.push({ ...this.#placeOf(partition), offset, metadata: read });
    }
    this.#process.feed({ type: "assigned", epoch, partitions });
    for (const at of partitions) this.#process.assigned(at, epoch);
    this.wake();
  }

  #fetch(owned: Owned): void {
    const { timeline, logs } = this.#in.world;
    const log = logs[owned.partition];
    if (owned.fetching || owned.paused || log === undefined || log.end <= owned.position) return;
    if (this.#in.world.isLeaderless(owned.partition)) return;
    owned.fetching = true;
    timeline.after(1 + this.#process.roll() * 60, () => {
      owned.fetching = false;
      if (!this.#process.alive) return;
      if (this.#owned.get(owned.partition) !== owned) return;
      if (owned.life !== log.life) return this.#beginAnew(owned);
      // A pause may come too late for what is on its way.
      if (this.#rebalancing || (owned.paused && this.#process.roll() < 0.5)) return;
      this.#received(owned);
      this.#fetch(owned);
    });
  }

  #received(owned: Owned): void {
    const { logs, scenario } = this.#in.world;
    const { partition, epoch } = owned;
    const log = logs[partition];
    if (log === undefined) return;
    const first = log.indexOf(owned.position);
    const found = log.records.slice(first, first + scenario.fetchMax);
    const last = found.at(-1);
    const toEnd = first + found.length === log.records.length;
    owned.position = toEnd || last === undefined ? log.end : last.offset + 1;
    this.#process.feed({
      type: "received",
      epoch,
      from: this.#placeOf(partition),
      records: found.map(toReceived),
      position: owned.position,
      highWatermark: log.end,
    });
  }
}

function toReceived(record: SimRecord): Received<SimRecord> {
  const { offset, timestampMs, plan: { bytes, key }, root, letter } = record;
  const { partition, offset: at, timestampMs: originMs } = root;
  const origin = { topic: "t", partition, offset: at, timestampMs: originMs, letter };
  return { offset, timestampMs, bytes, key, record, ...(letter === undefined ? {} : { origin }) };
}
