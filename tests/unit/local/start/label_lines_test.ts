// What is shown of labels: ticket, label, confidence and subject, and nothing a terminal would obey.

import assert from "node:assert/strict";
import { LabelLines, labelText } from "../../../../local/start/label_lines.ts";

const label = (ticketId: string, confidence: number | undefined) => ({
  ticketId,
  category: "billing",
  confidence,
});

Deno.test("labelText() has label, confidence and subject in columns", () => {
  assert.equal(
    labelText(label("17", 0.97), "Charged twice", false),
    "ticket 17 → billing            97%  Charged twice",
  );
  assert.equal(labelText(label("17", undefined), undefined, false), "ticket 17 → billing");
});

Deno.test("labelText() shows an uncertain label in another colour, and colours only where they are wanted", () => {
  const [sure, unsure] = [labelText(label("1", 0.97), "s", true), labelText(label("1", 0.4), "s", true)];
  assert.ok(sure.includes("\x1b[36mbilling"));
  assert.ok(unsure.includes("\x1b[33mbilling"));
  assert.ok(!labelText(label("1", 0.4), "s", false).includes("\x1b"));
});

Deno.test("labelText() keeps a ticket's text on one line, cut, without control characters", () => {
  const text = labelText(label("1\x1b[2J", 0.97), `one\ntwo\x1b[31m\u202e ${"x".repeat(200)}`, false);
  assert.match(text, /^ticket 1 \[2J → billing {12}97% {2}one two \[31m x+…$/);
  assert.ok(text.length < 110);
});

Deno.test("LabelLines asks for the subjects of many labels at once, and does without where they are not known", async () => {
  const [asked, shown, timers]: [string[][], string[], (() => void)[]] = [[], [], []];
  const lines = new LabelLines({
    show: (line) => shown.push(line),
    subjects: (ids) => {
      asked.push([...ids]);
      return asked.length === 1
        ? Promise.resolve(new Map([["1", "one"]]))
        : Promise.reject(new Error("away"));
    },
    later: (_, callBack) => timers.push(callBack),
    coloured: false,
  });
  lines.add(label("1", 0.97));
  lines.add(label("2", 0.97));
  await lines.flush();
  lines.add(label("3", 0.97));
  await lines.flush();
  assert.deepEqual(asked, [["1", "2"], ["3"]]);
  assert.deepEqual(shown, [
    "ticket 1 → billing            97%  one",
    "ticket 2 → billing            97%",
    "ticket 3 → billing            97%",
  ]);
  assert.equal(timers.length, 2);
});
