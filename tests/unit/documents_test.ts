// The documents, held against the code: their tables are the code's own, their commands and links exist.

import assert from "node:assert/strict";
import { variablesAsMarkdown } from "../../shared/config/variables.ts";
import { contractAsMarkdown } from "../../shared/contract/status_contract.ts";
import { readModules } from "../support/module_graph.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "deploy/README.md",
  "local/model/README.md",
  ...[...Deno.readDirSync(new URL("docs/", ROOT))].filter(({ isFile }) => isFile).map(({ name }) =>
    `docs/${name}`
  ),
  ...[...Deno.readDirSync(new URL("docs/decisions/", ROOT))].map(({ name }) => `docs/decisions/${name}`),
];

function textOf(page: string): string {
  return Deno.readTextFileSync(new URL(page, ROOT));
}

/** The formatter pads tables; what they say is what counts. */
function plain(markdown: string): string {
  return markdown.replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

function assertHas(page: string, table: string): void {
  assert.ok(plain(textOf(page)).includes(plain(table)), `${page} should have:\n${table}`);
}

Deno.test("README.md has the status contract word for word", () => {
  assertHas("README.md", contractAsMarkdown());
});

Deno.test("README.md fits two minutes of reading: at most 140 lines", () => {
  const lines = textOf("README.md").trimEnd().split("\n").length;
  assert.ok(lines <= 140, `${lines} lines`);
});

Deno.test("docs/configuration.md has every variable with its default", () => {
  assertHas("docs/configuration.md", variablesAsMarkdown());
});

Deno.test("docs/operating.md has a row for every cause that code can name, and for no other", async () => {
  const modules = await readModules(["consumer", "shared", "worker"]);
  const named = new Set(modules.flatMap(({ text }) => [
    ...[...text.matchAll(/name: "([a-z-]+)",\s+(?:sinceMs|detail)/g)].map(([, name]) => name),
    ...[...text.matchAll(/(?:#set|kafkaCause)\(\s*"([a-z-]+)",/g)].map(([, name]) => name),
  ]));
  const runbook = textOf("docs/operating.md").split("## Runbook")[1] ?? "";
  const rows = [...runbook.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(rows)].sort(), [...named].sort());
});

Deno.test("no document names a task that does not exist", () => {
  const { tasks } = JSON.parse(textOf("deno.json")) as { tasks: object };
  for (const page of PAGES) {
    const named = [...textOf(page).matchAll(/deno task ([a-z:-]+)/g)].map(([, task]) => task ?? "");
    assert.deepEqual(named.filter((task) => !(task in tasks)), [], page);
  }
});

Deno.test("no document links to a file or a heading that is not there", async () => {
  for (const page of PAGES) {
    for (const [, target = ""] of textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)/g)) {
      const [path = "", heading] = target.split("#");
      const url = path === "" ? new URL(page, ROOT) : new URL(path, new URL(page, ROOT));
      await Deno.stat(url).catch(() => assert.fail(`${page} links to ${target}`));
      if (heading === undefined) continue;
      const anchors = Deno.readTextFileSync(url).split("\n").filter((line) => /^#+ /.test(line)).map(
        anchorOf,
      );
      assert.ok(anchors.includes(heading), `${page} links to ${target}: there is no such heading`);
    }
  }
});

Deno.test("no document names a source file that is not there", async () => {
  const wrong: string[] = [];
  for (const page of PAGES) {
    for (
      const [, path = ""] of textOf(page).matchAll(/`((?:consumer|worker|shared|local|tests)\/[\w/]+\.ts)`/g)
    ) {
      await Deno.stat(new URL(path, ROOT)).catch(() => wrong.push(`${page}: ${path}`));
    }
  }
  assert.deepEqual(wrong, []);
});

/** The anchor that a heading gets on the usual hosts: lower case, words joined by dashes. */
function anchorOf(heading: string): string {
  return heading.replace(/^#+ /, "").toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(
    " ",
    "-",
  );
}
