// Holds README.md against the code: its tables are the code's own, and every command it gives exists.

import assert from "node:assert/strict";
import { variablesAsMarkdown } from "../../shared/config/variables.ts";
import { contractAsMarkdown } from "../../shared/contract/status_contract.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", ROOT));

/** The formatter pads tables; what they say is what counts. */
function plain(markdown: string): string {
  return markdown.replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

Deno.test("README.md has the status contract word for word", () => {
  assert.ok(
    plain(readme).includes(plain(contractAsMarkdown())),
    `README.md should have:\n${contractAsMarkdown()}`,
  );
});

Deno.test("README.md has every variable with its default", () => {
  assert.ok(
    plain(readme).includes(plain(variablesAsMarkdown())),
    `README.md should have:\n${variablesAsMarkdown()}`,
  );
});

Deno.test("README.md, CONTRIBUTING.md and ARCHITECTURE.md name no task that does not exist", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as { tasks: object };
  for (const page of ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    const named = [...text.matchAll(/deno task ([a-z:-]+)/g)].map(([, task]) => task ?? "");
    assert.deepEqual(named.filter((task) => !(task in tasks)), [], page);
  }
});

Deno.test("README.md and ARCHITECTURE.md link to nothing that is not there", async () => {
  for (const page of ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      await Deno.stat(new URL(target ?? "", ROOT)).catch(() => assert.fail(`${page} links to ${target}`));
    }
  }
});
