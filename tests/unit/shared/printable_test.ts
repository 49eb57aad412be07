// How text of strangers is printed.

import assert from "node:assert/strict";
import fc from "fast-check";
import { printable } from "../../../shared/printable.ts";

Deno.test("printable() shows what moves the cursor, turns the writing round or cannot be seen", () => {
  assert.equal(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  assert.equal(printable("\u001b[2J\u0007\u009b"), "\\u001b[2J\\u0007\\u009b");
  assert.equal(
    printable("\u202egnp.exe\u2066\u200b\ufeff\u2028"),
    "\\u202egnp.exe\\u2066\\u200b\\ufeff\\u2028",
  );
  assert.equal(printable("half \ud83d of a pair"), "half \\ud83d of a pair");
});

Deno.test("printable() leaves letters of every language as they are", () => {
  for (const text of ["Grüße, 日本語, עברית, العربية", "👩‍🔧 😀", "a → b", ""]) {
    assert.equal(printable(text).replaceAll("\\u200d", "\u200d"), text);
  }
});

Deno.test("printable() makes one line of anything", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    // deno-lint-ignore no-control-regex -- they are what must not be there
    assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  }));
});
