// Tests of secrets that are looked for in a text.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Secrets } from "../../../../worker/llm/secrets.ts";

const KEY = "sk-Ab/12+cd34=ef";
const secrets = new Secrets([undefined, "", "five5", KEY]);

Deno.test("Secrets.isIn() finds a secret however it is spelt", () => {
  const base64 = Buffer.from(KEY).toString("base64");
  for (
    const text of [
      KEY,
      `your key ${KEY.toUpperCase()} is wrong`,
      encodeURIComponent(KEY),
      base64,
      base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
      [...KEY].join("\u200b"),
      [...KEY].join(" "),
      KEY.replaceAll("/", "\\/"),
      [...KEY].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
      JSON.stringify(JSON.stringify(KEY.replaceAll("/", "\\/"))),
    ]
  ) assert.equal(secrets.isIn(text), true, text);
});

Deno.test("Secrets.isIn() finds nothing in other texts, and takes no short word for a secret", () => {
  for (const text of ["", "a short text", KEY.slice(1), "\\u00", "\\", KEY.replaceAll("A", "B")]) {
    assert.equal(secrets.isIn(text), false, text);
  }
  assert.equal(new Secrets([]).isIn(KEY), false);
});
