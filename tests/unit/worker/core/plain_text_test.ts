// Tests of text that strangers wrote, made plain.

import assert from "node:assert/strict";
import fc from "fast-check";
import { plainText } from "../../../../worker/core/plain_text.ts";

Deno.test("plainText() keeps what can be seen, on one line, and cuts the rest", () => {
  assert.equal(plainText("  a\u0000b\r\n\tc\u202ed\u200be\ufeff ", 50), "a b c d e");
  assert.equal(plainText("Größe 10 € 😀", 50), "Größe 10 € 😀");
  assert.equal(plainText("😀".repeat(30), 5), "😀😀😀😀…");
  assert.equal(plainText("\ud800x", 5), "\ufffdx");
});

Deno.test("plainText() is short, well-formed, on one line and plain already, whatever it is given", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.integer({ min: 1, max: 50 }),
      (text, max) => {
        const plain = plainText(text, max);
        assert.ok([...plain].length <= max && plain.isWellFormed());
        // deno-lint-ignore no-control-regex -- they must not be there
        assert.doesNotMatch(plain, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/);
        assert.equal(plainText(plain, max), plain);
      },
    ),
  );
});
