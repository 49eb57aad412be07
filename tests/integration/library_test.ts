// docs/library.md's example, word for word, from a clean directory beside a copy of the library.

import assert from "node:assert/strict";
import { startChild } from "../support/processes/process.ts";
import { problem, StubWorker } from "../support/workers/stub_worker.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("createConsumer()'s example settles orders, waits when told to, and dead-letters what is bad", async () => {
  await using kafka = await TestKafka.start();
  await using folder = await TemporaryFolder.make("ackpool-library-");
  await writeExample(folder.path);
  await kafka.make("orders", "orders.billing.invoices.dlq", "orders.billing.invoices.retry");
  await kafka.produce("orders", [
    ...Array.from({ length: 20 }, (_, n) => ({
      key: `c${n % 3}`,
      value: JSON.stringify({ id: `o-${n}`, amountCents: 100 + n }),
    })),
    { key: "c1", value: JSON.stringify({ id: "free", amountCents: 0 }) },
    { key: "c2", value: "this is no JSON" },
  ]);
  let refused = 0;
  await using invoices = new StubWorker(({ text }) => {
    if (!text.includes('"o-7"') || refused++ > 0) return 200;
    return problem(429, "/problems/slow", { "retry-after": "0" });
  });

  await using example = startChild({
    name: "the example",
    command: Deno.execPath(),
    args: ["run", "--no-lock", "--allow-net", "--allow-env", "--allow-read", "main.ts"],
    cwd: `${folder.path}/invoices`,
    env: { KAFKA_BROKERS: kafka.brokers, INVOICES_URL: invoices.url },
  });
  assert.equal((await example.exit).code, 0, example.failure("failed").message);
  assert.equal(example.lines.at(-1)?.text, "22 orders settled, 2 of them dead letters");

  const orders = invoices.requests.map(({ text }) => JSON.parse(text).id);
  assert.equal(new Set(orders).size, 20);
  assert.equal(orders.length, 21, "one was refused once, and asked for again");
  const ofOne = orders.filter((id, at) => Number(id.slice(2)) % 3 === 0 && orders.indexOf(id) === at);
  assert.deepEqual(ofOne, [...ofOne].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2))));
  const letters = await kafka.read("orders.billing.invoices.dlq");
  assert.deepEqual(letters.map(({ headers }) => headers["ackpool-reason"]).sort(), [
    "asked-by-worker",
    "rejected",
  ]);
  assert.ok(letters.some(({ headers }) => headers["ackpool-problem"] === "order free has no amount"));
});

/** The two files of the page, and beside them what a clone has of the library. */
async function writeExample(folder: string): Promise<void> {
  const page = await Deno.readTextFile(`${ROOT}docs/library.md`);
  for (const name of ["deno.json", "main.ts"]) {
    const [, block] = new RegExp(`\`${name}\`\n\n\`\`\`[a-z]+\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    assert.ok(block, `docs/library.md has no ${name}`);
    await Deno.mkdir(`${folder}/invoices`, { recursive: true });
    await Deno.writeTextFile(`${folder}/invoices/${name}`, block);
  }
  for (const part of ["consumer", "shared", "deno.json"]) {
    await copy(`${ROOT}${part}`, `${folder}/ackpool/${part}`);
  }
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
