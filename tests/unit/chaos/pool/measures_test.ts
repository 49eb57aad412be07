// What the pool campaign reads off its journal, and what it counts as a fault.

import assert from "node:assert/strict";
import type { Post } from "../../../chaos/stage/journal.ts";
import { poolFaults } from "../../../chaos/pool/findings.ts";
import { measurePhase, openPosts, type Phase, type PhaseMeasures } from "../../../chaos/pool/measures.ts";

const phase: Phase = { name: "a phase", fromMs: 10_000, toMs: 20_000, healthy: [0, 2] };
const capacity = { permits: 8, perSecond: 5 };

const post = (sentAtMs: number, more: Partial<Post> = {}): Post => ({
  key: "k",
  sender: "consumer",
  replica: 1,
  sentAtMs,
  ...more,
});

const journalOf = (posts: readonly Post[], settledMs: readonly number[] = []) => ({
  posts,
  settled: new Map(settledMs.map((atMs, index) => [String(index), atMs])),
});

Deno.test("measurePhase() holds what was settled in the phase against the healthy replicas' capacity", () => {
  const settledMs = [9_999, ...Array.from({ length: 80 }, (_, at) => 10_000 + at * 100), 20_000];
  const measures = measurePhase(journalOf([], settledMs), phase, capacity);
  assert.deepEqual([measures.perSecond, measures.share], [8, 0.8]);
});

Deno.test("measurePhase() says how much of the time the healthy replicas' permits were in use", () => {
  const posts = [
    post(9_000, { replica: 0, answer: { status: 200, atMs: 12_000 } }),
    post(19_000, { replica: 2 }),
    post(12_000, { replica: 2, lostAtMs: 13_000 }),
    post(12_000, { replica: 1, answer: { status: 200, atMs: 19_000 } }),
  ];
  assert.equal(measurePhase(journalOf(posts), phase, { ...capacity, permits: 1 }).busy, 0.2);
});

Deno.test("measurePhase() counts attempts that failed in the phase, whenever they began", () => {
  const posts = [
    post(9_000, { answer: { status: 500, atMs: 10_500 } }),
    post(9_000, { lostAtMs: 11_000 }),
    post(12_000, { answer: { status: 200, atMs: 13_000 } }),
    post(12_000, { answer: { status: 500, atMs: 21_000 } }),
    post(12_000),
  ];
  const { failed } = measurePhase(journalOf(posts), phase, capacity);
  assert.deepEqual([...failed], [["500", 1], ["no answer", 1]]);
});

Deno.test("measurePhase() counts what a replica got after its notice, and allows the notice its way", () => {
  const notice = { replica: 1, atMs: 12_000, untilMs: 30_000 };
  const posts = [11_000, 12_100, 12_300, 25_000, 30_001].map((atMs) => post(atMs));
  const others = [post(15_000, { replica: 0 })];
  const { afterNotice } = measurePhase(journalOf([...posts, ...others]), { ...phase, notice }, capacity);
  assert.equal(afterNotice, 2);
});

Deno.test("openPosts() counts a replica's attempts that wait for an answer", () => {
  const posts = [
    post(1),
    post(5),
    post(6, { lostAtMs: 7 }),
    post(6, { answer: { status: 200, atMs: 7 } }),
    post(6, { replica: 0 }),
  ];
  assert.equal(openPosts(posts, 1, 5), 1);
});

const sound: PhaseMeasures = { perSecond: 9, share: 0.9, busy: 0.9, failed: new Map(), afterNotice: 0 };

Deno.test("poolFaults() finds nothing where nine tenths are used and nobody got work after a notice", () => {
  assert.deepEqual(poolFaults([[phase, sound], [phase, { ...sound, afterNotice: undefined }]]), []);
});

Deno.test("poolFaults() names the phase that used too little, and attempts after a notice", () => {
  const faults = poolFaults([[phase, { ...sound, share: 0.894, afterNotice: 3 }]]);
  assert.deepEqual(faults, [
    "a phase: 89% of the healthy replicas' capacity",
    "a phase: 3 attempts after the notice",
  ]);
});
