// What pausing and resuming makes of what is paused already, and how it is kept.

import assert from "node:assert/strict";
import {
  decodeSettings,
  encodeSettings,
  type FlowSettings,
  NO_SETTINGS,
  PausedAsAWhole,
  withoutPause,
  withPause,
} from "../../../../consumer/flow/flow_settings.ts";

const ANN = { by: "ann", from: "10.0.0.7" };
const BOB = { by: "bob", from: "10.0.0.8" };
const [EARLY, LATE] = ["2026-11-28T10:00:00.000Z", "2026-11-28T11:00:00.000Z"];
const pause = (topic: string | null, partition: number | null, who = ANN, since = EARLY) => ({
  topic,
  partition,
  ...who,
  since,
});

Deno.test("withPause() notes who paused what and when, and leaves what is paused already to the first", () => {
  const paused = withPause(NO_SETTINGS, { topic: "t", partition: 1 }, ANN, EARLY);
  assert.deepEqual(paused.pauses, [pause("t", 1)]);
  assert.equal(withPause(paused, { topic: "t", partition: 1 }, BOB, LATE), paused);
  const topic = withPause(paused, { topic: "t" }, BOB, LATE);
  assert.deepEqual(topic.pauses, [pause("t", null, BOB, LATE)], "the partition is part of it");
  assert.equal(withPause(topic, { topic: "t", partition: 7 }, ANN, EARLY), topic);
  assert.deepEqual(withPause(topic, { topic: "u" }, ANN, EARLY).pauses.length, 2);
  assert.deepEqual(withPause(topic, {}, ANN, EARLY).pauses, [pause(null, null)]);
});

Deno.test("withoutPause() resumes what is part of it, and says so where more is paused", () => {
  const some: FlowSettings = { ...NO_SETTINGS, pauses: [pause("t", 1), pause("t", 2), pause("u", null)] };
  assert.deepEqual(withoutPause(some, { topic: "t" }).pauses, [pause("u", null)]);
  assert.deepEqual(withoutPause(some, { topic: "t", partition: 1 }).pauses.length, 2);
  assert.deepEqual(withoutPause(some, {}).pauses, []);
  assert.deepEqual(withoutPause(some, { topic: "v" }).pauses.length, 3);
  assert.throws(() => withoutPause(some, { topic: "u", partition: 0 }), PausedAsAWhole);
  const all = { ...NO_SETTINGS, pauses: [pause(null, null)] };
  assert.throws(() => withoutPause(all, { topic: "t" }), /Paused is everything, and t with it/);
});

Deno.test("decodeSettings() reads what was kept, and nothing that is not ours", () => {
  const kept: FlowSettings = {
    pauses: [pause("t", 1)],
    rate: { value: 12.5, ...ANN, since: EARLY },
    pool: { value: 40, ...BOB, since: LATE },
  };
  assert.deepEqual(decodeSettings(encodeSettings(kept)), kept);
  for (
    const text of ["", "{}", "ackpool:1:AAAA", "ackpool-flow:1:", "ackpool-flow:1:{}", "ackpool-flow:2:{}"]
  ) {
    assert.equal(decodeSettings(text), undefined, text);
  }
});
