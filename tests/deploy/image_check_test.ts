// The image's folder suffices: every program runs from it as another user, with nothing writable and nothing fetched.

import assert from "node:assert/strict";
import { dockerfile, textOf } from "../support/images/deploy_files.ts";
import { pythonTool, run } from "../support/images/deploy_tools.ts";
import { buildImageFolder, confined, type ImageFolder } from "../support/images/image_folder.ts";

/** Packages and sources together; Deno itself is 95 MB on top of them. */
const SIZE_MAX_MB = 40;

interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

Deno.test("hadolint finds nothing in the Dockerfile", async () => {
  const { code, output } = await run([...await pythonTool("hadolint"), "Dockerfile"]);
  assert.equal(code, 0, output);
});

Deno.test("the image's folder", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "ackpool-image-" });
  await Deno.chmod(folder, 0o755);
  try {
    const image = await buildImageFolder(folder, "consumer/main.ts");
    await test.step("has the packages of deno.lock, and none of start's or the tests'", () =>
      assertPackages(image));
    await test.step(`is smaller than ${SIZE_MAX_MB} MB`, () => assertSmall(folder));
    const llm = {
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    };
    await test.step("runs a worker", () => assertServes(image, "worker", { PORT: "0", ...llm }));
    const pool = { WORKER_URL: "http://127.0.0.1:1" };
    await test.step("runs an ingress", () => assertServes(image, "ingress", { PORT: "0", ...pool }));
    const kafka = { KAFKA_BROKERS: "127.0.0.1:1", ADMIN_PORT: "0", ...pool };
    await test.step("runs a consumer", () => assertServes(image, "consumer", kafka));
    await test.step("migrates", () =>
      assertEnds(image, ["migrate"], llm, /could not be migrated \(unreachable\)/));
    for (const task of ["drain", "dlq", "lag"]) {
      await test.step(`starts ${task}`, () =>
        assertEnds(image, [task, "--help"], kafka, RegExp(`task ${task}`)));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the local image's folder", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "ackpool-local-image-" });
  await Deno.chmod(folder, 0o755);
  try {
    const image = await buildImageFolder(folder, "local/model/main.ts");
    await test.step("runs the local model", () => assertServes(image, "model", { PORT: "0" }));
    const kafka = { KAFKA_BROKERS: "127.0.0.1:1" };
    await test.step("produces", () =>
      assertEnds(image, ["produce"], kafka, /Kafka at 127.0.0.1:1 cannot be used/));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function assertPackages({ app }: ImageFolder): Promise<void> {
  const ours = (JSON.parse(textOf("deno.lock")) as Lock).npm;
  const theirs = (JSON.parse(await Deno.readTextFile(`${app}/deno.lock`)) as Lock).npm;
  assert.ok(Object.keys(theirs).length > 8);
  for (const [name, { integrity }] of Object.entries(theirs)) {
    assert.equal(integrity, ours[name]?.integrity, name);
    assert.doesNotMatch(name, /pglite|kafka-crab|energetic|fast-check|^yaml/);
  }
}

async function assertSmall(folder: string): Promise<void> {
  const { stdout } = await run(["du", "--summarize", "--block-size=1M", folder]);
  assert.ok(Number.parseInt(stdout) < SIZE_MAX_MB, stdout);
}

/** Starts it, waits until it listens, asks it as the health check does, and stops it as a container engine does. */
async function assertServes(
  image: ImageFolder,
  task: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const [program = "", ...args] = confined(image, env, ["deno", "task", "--quiet", task]);
  await using child = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
  const port = await listeningPort(child.stdout);
  assert.equal(await healthy(image, port), 0);
  child.kill("SIGTERM");
  const { code, signal } = await child.status;
  assert.deepEqual([code, signal], [0, null]);
  assert.equal(await healthy(image, port), 1);
}

async function assertEnds(
  image: ImageFolder,
  task: readonly string[],
  env: Readonly<Record<string, string>>,
  says: RegExp,
): Promise<void> {
  const { output } = await run(confined(image, env, ["deno", "task", "--quiet", ...task]));
  assert.match(output, says);
}

/** The port of the line that says `listening`. The rest is read on, so that the program never waits for a reader. */
async function listeningPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const [first, rest] = stdout.tee();
  rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  for await (const part of first.pipeThrough(new TextDecoderStream())) {
    text += part;
    const line = text.split("\n").slice(0, -1).find((each) => each.includes('"listening"'));
    if (line !== undefined) return (JSON.parse(line) as { readonly port: number }).port;
  }
  return assert.fail(`It ended before it listened:\n${text}`);
}

/** The exit code of the image's health check, asked on this port. */
async function healthy(image: ImageFolder, port: number): Promise<number> {
  const check = dockerfile().filter(({ name }) => name === "HEALTHCHECK").at(-1)?.rest ?? "";
  const [, ...args] = JSON.parse(check.slice(check.indexOf("["))) as string[];
  const urls = args.map((each) => each.startsWith("http") ? each.replace(/:\d+\//, `:${port}/`) : each);
  const ended = await run(confined(image, {}, ["deno", ...urls]));
  return ended.code;
}
