// When the embedded Postgres is ended for a statement.

import assert from "node:assert/strict";
import { STATEMENT_BEGAN, STATEMENT_ENDED } from "../../../../local/embedded/postgres/statement_events.ts";
import { STATEMENT_LIMIT_MS, StatementLimit } from "../../../../local/start/statement_limit.ts";

function setUp() {
  let due: (() => void) | undefined;
  let restarts = 0;
  const limit = new StatementLimit({
    later: (ms, callBack) => {
      assert.equal(ms, STATEMENT_LIMIT_MS);
      due = callBack;
      return () => due = undefined;
    },
    restart: () => restarts++,
  });
  const say = (message: string) => limit.onLine({ kind: "event", level: "info", message, properties: {} });
  return { limit, say, pass: () => due?.(), restarts: () => restarts };
}

Deno.test("StatementLimit restarts for a statement that goes on, and for none that has ended", () => {
  const { say, pass, restarts } = setUp();
  say(STATEMENT_BEGAN);
  say(STATEMENT_ENDED);
  pass();
  assert.equal(restarts(), 0);
  say(STATEMENT_BEGAN);
  say("listening");
  pass();
  assert.equal(restarts(), 1);
});

Deno.test("StatementLimit.clear() lets nothing restart while all stops", () => {
  const { limit, say, pass, restarts } = setUp();
  say(STATEMENT_BEGAN);
  limit.clear();
  pass();
  assert.equal(restarts(), 0);
});
