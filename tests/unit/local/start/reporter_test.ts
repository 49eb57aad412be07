import assert from "node:assert/strict";
import { ChildFailedError } from "../../../../local/processes/child.ts";
import { Reporter } from "../../../../local/start/reporter.ts";
import { Terminal } from "../../../../local/terminal.ts";

function setUp() {
  const shown: string[] = [];
  const screen = new Terminal((text) => shown.push(text.trimEnd()), undefined);
  return { reporter: new Reporter(screen, false, () => 0), shown };
}

Deno.test("Reporter tells the first replica's cold start and when all are up, not one by one", () => {
  const { reporter, shown } = setUp();
  reporter.scaled(0, 1, "first record");
  reporter.scaled(1, 3, "backlog 900");
  reporter.replicaUp(1, 912, { up: 1, wanted: 3, sinceMs: 100 });
  reporter.replicaUp(2, 800, { up: 2, wanted: 3, sinceMs: 900 });
  reporter.replicaUp(3, 800, { up: 3, wanted: 3, sinceMs: 1730 });
  assert.deepEqual(shown, [
    "replicas 0 → 1 (first record)",
    "replicas 1 → 3 (backlog 900)",
    "replica 1 up after 0.9 s",
    "3 replicas up after 1.7 s",
  ]);
});

Deno.test("Reporter tells what a crash loop says once, and each pause", () => {
  const { reporter, shown } = setUp();
  const why = new ChildFailedError("worker 1", 1, ["ackpool: it broke", "at line 1"]);
  reporter.crashed("worker 1", why, 500);
  reporter.crashed("worker 1", why, 1000);
  reporter.crashed("worker 1", new ChildFailedError("worker 1", 137, []), 2000);
  assert.deepEqual(shown, [
    "! worker 1: it broke\n  at line 1; starting again in 0.5 s",
    "! worker 1: the same again; starting again in 1 s",
    "! worker 1: ended with code 137; starting again in 2 s",
  ]);
});

Deno.test("Reporter says nothing of replicas that are not there: they are its own, and come with the backlog", () => {
  const { reporter, shown } = setUp();
  const cause = (cause: string) => ({
    kind: "event" as const,
    level: "warning" as const,
    message: "cause",
    properties: { cause, detail: "d" },
  });
  reporter.onLine("consumer", cause("no-replica"));
  const over = (after: string) => ({
    kind: "event" as const,
    level: "info" as const,
    message: "delivery goes on",
    properties: { afterMs: 4000, after },
  });
  reporter.onLine("consumer", over("no-replica"));
  reporter.onLine("consumer", cause("outage"));
  assert.equal(shown.length, 1);
  assert.match(shown[0] ?? "", /^! consumer: .*outage/);
});
