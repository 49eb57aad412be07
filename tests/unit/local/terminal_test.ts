// What is shown, with a terminal and without.

import assert from "node:assert/strict";
import { Terminal } from "../../../local/terminal.ts";

function setUp(columns?: number) {
  let text = "";
  const screen = new Terminal((more) => text += more, columns === undefined ? undefined : () => columns);
  return { screen, written: () => text };
}

Deno.test("Terminal without a terminal tells beginnings and outcomes once, each in a line of its own", () => {
  const { screen, written } = setUp();
  screen.going("model", "starting");
  screen.going("model", "training, 5 of 10");
  screen.drawing("produce", "5 sent");
  screen.done("model", "up");
  screen.line("ticket 1 → bug");
  assert.equal(written(), "  model      starting …\n  model      up\nticket 1 → bug\n");
});

Deno.test("Terminal on a terminal keeps one last line about everything that goes on, cut to its width", () => {
  const { screen, written } = setUp(24);
  screen.going("kafka", "starting");
  screen.going("model", "training");
  screen.line("hello");
  assert.equal(written(), "\r\x1b[2Khello\n\r\x1b[2K⠋ kafka: starting  ·  m");
  screen.done("kafka", "up");
  screen.done("model");
  assert.ok(written().endsWith("\r\x1b[2K"), "nothing is left of the last line");
});
