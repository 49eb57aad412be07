import assert from "node:assert/strict";
import { decisionAsText, EventLines } from "../../../../../consumer/cli/live/tail_text.ts";

Deno.test("decisionAsText() is one line, whatever a worker said", () => {
  const text = decisionAsText({
    at: "2026-01-31T12:00:01.000Z",
    kind: "retrying",
    topic: "tickets",
    partition: 3,
    offset: 1042,
    attempt: 2,
    last: "503",
    said: "away\u001b[2J",
    why: "not counted, again in 2000 ms",
  });
  assert.match(
    text,
    /^12:00:01 retrying {6}tickets\/3\/1042 {2}attempt 2: 503 \(away.*\); not counted, again in 2000 ms$/,
  );
  assert.ok(!text.includes("\u001b"));
});

Deno.test("EventLines reads events however the stream is cut", () => {
  const stream = 'event: decision\ndata: {"a":1}\n\nevent: lost\ndata: 5\n\nevent: quiet\ndata:\n\n';
  for (let cut = 0; cut <= stream.length; cut++) {
    const lines = new EventLines();
    assert.deepEqual([...lines.add(stream.slice(0, cut)), ...lines.add(stream.slice(cut))], [
      { event: "decision", data: '{"a":1}' },
      { event: "lost", data: "5" },
      { event: "quiet", data: "" },
    ]);
  }
});
