// The name that a misspelt one means.

import assert from "node:assert/strict";
import { nearest } from "../../../shared/nearest.ts";

Deno.test("nearest() finds letters that are missing, too many, wrong or exchanged", () => {
  const names = ["--watch", "--json", "--canary", "--canary-timeout"];
  for (
    const [word, meant] of [["--wach", "--watch"], ["--wattch", "--watch"], ["--jsno", "--json"], [
      "--cenary",
      "--canary",
    ]]
  ) {
    assert.equal(nearest(word ?? "", names), meant);
  }
});

Deno.test("nearest() takes the nearer of two, and none that is far", () => {
  assert.equal(nearest("--canary-timeot", ["--canary", "--canary-timeout"]), "--canary-timeout");
  assert.equal(nearest("--follow", ["--watch", "--json"]), undefined);
  assert.equal(nearest("ab", ["abc"]), undefined);
});
