// What an outcome says besides its status.

import assert from "node:assert/strict";
import { problemText } from "../../../../shared/contract/outcome.ts";

const answer = (excerpt: string) => problemText({ kind: "answer", status: 403, excerpt });

Deno.test("problemText() is the problem's detail or else its title, in one line and not without end", () => {
  assert.equal(
    answer('{"title":"Forbidden","detail":"The model gpt-x\\ndoes not exist"}'),
    "The model gpt-x does not exist",
  );
  assert.equal(answer('{"title":"Forbidden"}'), "Forbidden");
  assert.equal(answer(JSON.stringify({ detail: "x".repeat(500) }))?.length, 200);
  assert.equal(problemText({ kind: "refused", detail: "ECONNREFUSED" }), "ECONNREFUSED");
});

Deno.test("problemText() shows nothing of bodies that are no problem: they may hold anything", () => {
  assert.deepEqual(
    ["my ticket's text", '"my ticket"', '{"detail":5}', "", "null"].map(answer),
    Array(5).fill(undefined),
  );
});
