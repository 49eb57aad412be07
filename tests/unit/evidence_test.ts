// EVIDENCE.md, held against the README: no promise without a row, no row without a command, a result and a fault.

import assert from "node:assert/strict";
import { EVIDENCE } from "../evidence/promises.ts";
import { figuresIn, readResult } from "../evidence/results.ts";
import { evidencePage } from "../evidence/table.ts";
import { DEFECTS } from "../simulation/defects.ts";
import { withDefect } from "../simulation/planted.ts";
import { pathExporting } from "../simulation/planted.ts";
import { readModules } from "../support/module_graph.ts";

const ROOT = new URL("../../", import.meta.url);
const promised = EVIDENCE.flatMap(({ promises }) => promises);

/** The sentences of the README's section, without markup; and the modes of its table. */
function readmePromises(): readonly string[] {
  const readme = Deno.readTextFileSync(new URL("README.md", ROOT));
  const [section = ""] = (readme.split("## What is guaranteed\n")[1] ?? "").split("\n## ");
  const bullets = section.split("\n- ").slice(1).map((bullet) => bullet.split("\n\n")[0] ?? "");
  const sentences = bullets.flatMap((bullet) =>
    bullet.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[*`]/g, "").replaceAll(/\s+/g, " ")
      .split(/(?<=\.) /)
  );
  const modes = [...section.matchAll(/^\| `([a-z]+)`/gm)].map(([, mode = ""]) => mode);
  return [...sentences.map((sentence) => sentence.trim()), ...modes];
}

Deno.test("every promise of the README has a row in EVIDENCE.md, and no row promises more", () => {
  const said = readmePromises();
  assert.ok(said.length > 10, "the README's section is read");
  assert.deepEqual(said.filter((sentence) => !promised.includes(sentence)), []);
  const others = ["status contract", "threat model"];
  assert.deepEqual(promised.filter((each) => !said.includes(each) && !others.includes(each)), []);
});

Deno.test("every command of EVIDENCE.md exists, with the files it names", async () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as { tasks: object };
  const commands = EVIDENCE.flatMap(({ command, fault }) =>
    typeof fault === "string" ? [command] : [command, fault.fails]
  );
  for (const command of commands) {
    const task = /^deno task (\S+)/.exec(command)?.[1];
    assert.ok(task === undefined || task in tasks, command);
    for (const path of command.match(/tests\/\S+/g) ?? []) {
      await Deno.stat(new URL(path, ROOT)).catch(() => assert.fail(`${command}: there is no ${path}`));
    }
  }
});

Deno.test("every row has a fault that fits the code, and a run's figures", async () => {
  const modules = await readModules(["consumer", "worker", "shared", "local"]);
  for (const { id, fault, command } of EVIDENCE) {
    if (typeof fault === "string") assert.ok(DEFECTS.some(({ name }) => name === fault), `${id}: ${fault}`);
    else {
      const path = pathExporting(fault.exported, modules);
      withDefect(modules.find((each) => each.path === path)?.text ?? "", fault);
    }
    const result = readResult(id);
    assert.equal(result?.command, command, `${id}: deno task evidence --run ${id}`);
    assert.equal(result?.exitCode, 0, id);
    assert.notDeepEqual(result?.figures, {}, id);
    assert.equal(result?.faultFound, typeof fault === "string" ? undefined : true, `${id}: --fault ${id}`);
  }
});

Deno.test("EVIDENCE.md is what the result files say", () => {
  const plain = (text: string) => text.replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---");
  assert.equal(plain(Deno.readTextFileSync(new URL("EVIDENCE.md", ROOT))), plain(evidencePage()));
});

Deno.test("figuresIn() reads named groups, counts lines, and throws where nothing matches", () => {
  assert.deepEqual(figuresIn("5 of 7 held", /(?<done>\d+) of (?<all>\d+)/), { done: 5, all: 7 });
  assert.deepEqual(figuresIn("held a\nheld b\n", /^held /gm), { held: 2 });
  assert.throws(() => figuresIn("nothing", /(?<done>\d+)/), /No figures/);
});
