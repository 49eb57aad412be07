import assert from "node:assert/strict";
import { readCounts, runSideBySide } from "../../support/side_by_side.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("readCounts() takes the numbers of deno test's last line, and leaves all the others", () => {
  assert.deepEqual(readCounts("one ... ok (3ms)\n\nok | 12 passed (3 steps) | 0 failed (2s)\n"), {
    passed: 12,
    steps: 3,
    failed: 0,
    rest: "one ... ok (3ms)",
  });
  assert.equal(readCounts("FAILED | 1 passed | 2 failed (1s)").failed, 2);
  assert.equal(readCounts("error: Module not found").rest, "error: Module not found");
});

Deno.test("runSideBySide() counts what passed and failed, and names what could not be run", async () => {
  await using folder = await TemporaryFolder.make("ackpool-side-by-side-");
  const write = async (name: string, text: string) => {
    const path = `${folder.path}/${name}_test.ts`;
    await Deno.writeTextFile(path, text);
    return { name, paths: [path] };
  };
  const jobs = [
    await write(
      "good",
      `Deno.test("a", () => {}); Deno.test("b", async (t) => { await t.step("c", () => {}); });`,
    ),
    await write("bad", `Deno.test("d", () => { throw new Error("no"); });`),
    await write("broken", `import "./nowhere.ts";`),
  ];
  const shown: string[] = [];
  const totals = await runSideBySide(jobs, {
    lanes: 2,
    flags: ["--no-check", "--no-config"],
    interrupted: new AbortController().signal,
    show: (text) => shown.push(text),
  });
  assert.deepEqual(totals, { passed: 2, steps: 1, failed: 1, broken: ["broken"] });
  assert.equal(shown.length, 3);
  assert.ok(shown.some((text) => text.startsWith("--- bad: FAILED") && text.includes("Error: no")));
});
