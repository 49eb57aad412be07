import assert from "node:assert/strict";
import { pause, tryUntil, within } from "../../../shared/wait.ts";

const never = new Promise<never>(() => {});
const quick = (signal: AbortSignal, failed: (error: Error) => void = () => {}) => ({
  everyMs: 1,
  signal,
  failed,
});

Deno.test("tryUntil() tries until it succeeds and tells of every failure", async () => {
  const failures: string[] = [];
  let tries = 0;
  const work = () => ++tries < 3 ? Promise.reject(new Error(`no ${tries}`)) : Promise.resolve("yes");
  const { signal } = new AbortController();
  assert.equal(await tryUntil(work, quick(signal, ({ message }) => failures.push(message))), "yes");
  assert.deepEqual(failures, ["no 1", "no 2"]);
});

Deno.test("tryUntil() ends with its signal: before it begins, while it works and while it pauses", async () => {
  assert.equal(await tryUntil(() => assert.fail("tried"), quick(AbortSignal.abort())), undefined);
  for (const work of [() => never, () => Promise.reject(new Error("no"))]) {
    const stopping = new AbortController();
    const trying = tryUntil(work, { ...quick(stopping.signal), everyMs: 3_600_000 });
    stopping.abort();
    assert.equal(await trying, undefined);
  }
});

Deno.test("tryUntil() ends with what `failed` throws", async () => {
  const failed = () => {
    throw new TypeError("refused");
  };
  const { signal } = new AbortController();
  await assert.rejects(tryUntil(() => Promise.reject(new Error("no")), quick(signal, failed)), TypeError);
});

Deno.test("pause() ends with its signal and leaves no timer", async () => {
  const stopping = new AbortController();
  const pausing = pause(3_600_000, stopping.signal);
  stopping.abort();
  await pausing;
  await pause(3_600_000, AbortSignal.abort());
});

Deno.test("within() says whether it was done in time; what fails is done", async () => {
  assert.equal(await within(1000, Promise.resolve()), true);
  assert.equal(await within(1000, Promise.reject(new Error("no"))), true);
  assert.equal(await within(1, never), false);
});
