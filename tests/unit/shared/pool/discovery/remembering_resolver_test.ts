import assert from "node:assert/strict";
import { RememberingResolver } from "../../../../../shared/pool/discovery/remembering_resolver.ts";
import { stream } from "../../../../simulation/random.ts";

const NO_SERVICES = () => Promise.resolve([]);

/** A name that answers one after the other; undefined is a look-up that fails. */
async function play(answers: readonly (readonly string[] | undefined)[]): Promise<readonly string[]> {
  let at = 0;
  const resolver = new RememberingResolver({
    services: NO_SERVICES,
    addresses: () => {
      const answer = answers[at++];
      return answer === undefined ? Promise.reject(new Error("SERVFAIL")) : Promise.resolve(answer);
    },
  });
  const seen: string[] = [];
  for (const answer of answers) {
    const addresses = await resolver.addresses("workers.test").catch(() => ["failed"]);
    seen.push(answer === undefined ? "failed" : [...addresses].sort().join(""));
  }
  return seen;
}

const letters = (text: string) => [...text];

Deno.test("RememberingResolver keeps an address that is missing from one answer, and lets it go after the second", async () => {
  assert.deepEqual(await play(["abc", "ab", "abc", "ab", "ab", "ab"].map(letters)), [
    "abc",
    "abc",
    "abc",
    "abc",
    "ab",
    "ab",
  ]);
});

Deno.test("RememberingResolver believes two empty answers in a row", async () => {
  assert.deepEqual(await play(["ab", "", "ab", "", ""].map(letters)), ["ab", "ab", "ab", "ab", ""]);
});

Deno.test("RememberingResolver counts no look-up that failed", async () => {
  const answers = [
    letters("ab"),
    letters("a"),
    undefined,
    undefined,
    letters("ab"),
    letters("a"),
    letters("a"),
  ];
  assert.deepEqual(await play(answers), ["ab", "ab", "failed", "failed", "ab", "ab", "a"]);
});

Deno.test("RememberingResolver knows all addresses of a name that shows some of them each time", async () => {
  const all = letters("abcdefghijkl");
  const turns = (look: number) => Array.from({ length: 4 }, (_, at) => all[(look * 4 + at) % 12] ?? "");
  const strict = await play(Array.from({ length: 40 }, (_, look) => turns(look)));
  assert.ok(strict.slice(2).every((seen) => seen === all.join("")), strict.join(" "));

  const random = stream(7);
  const some = () =>
    all.map((one) => ({ one, by: random() })).sort((a, b) => a.by - b.by).slice(0, 4).map(({ one }) => one);
  // Now and then a look-up fails; a cache gives the same answer several times.
  let cached = some();
  const lasting = Array.from({ length: 400 }, (_, look) => {
    if (look % 3 === 0) cached = some();
    return look % 17 === 0 ? undefined : cached;
  });
  const seen = (await play(lasting)).filter((each) => each !== "failed").slice(100).map(({ length }) =>
    length
  );
  const mean = seen.reduce((sum, count) => sum + count, 0) / seen.length;
  assert.ok(mean >= 11.8, `${mean} of 12 on average`);
});

Deno.test("RememberingResolver lets addresses of a rotating name go that never come back, and forgets that it rotated", async () => {
  const turning = Array.from({ length: 30 }, (_, look) => letters(look % 2 === 0 ? "ab" : "cd"));
  const seen = await play([
    ...turning,
    ...Array.from({ length: 120 }, () => letters("ab")),
    letters("a"),
    letters("a"),
  ]);
  assert.equal(seen[29], "abcd");
  assert.equal(seen[60], "ab");
  assert.equal(seen.at(-1), "a");
});

Deno.test("RememberingResolver takes a service's next priority at once: the places before it are gone", async () => {
  const near = { target: "a.test", port: 1, priority: 10 };
  const other = { target: "b.test", port: 1, priority: 10 };
  const far = { target: "c.test", port: 1, priority: 20 };
  const answers = [[near, other, far], [near, far], [far]];
  const resolver = new RememberingResolver({
    addresses: () => Promise.resolve([]),
    services: () => Promise.resolve(answers.shift() ?? []),
  });
  const ask = async () => (await resolver.services("s")).map(({ target }) => target[0]).sort().join("");
  assert.deepEqual([await ask(), await ask(), await ask()], ["abc", "abc", "c"]);
});

Deno.test("RememberingResolver takes an answer that a cache may have given before for one answer, for as long as its TTL", async () => {
  let nowMs = 0;
  let answer = letters("abc");
  let asked = 0;
  const resolver = new RememberingResolver({
    services: NO_SERVICES,
    addresses: () => Promise.resolve(answer),
    ttlMs: () => Promise.resolve((asked++, 20_000)),
  }, () => nowMs);
  const ask = async () => [...await resolver.addresses("workers.test")].sort().join("");
  assert.equal(await ask(), "abc");
  assert.equal(asked, 0, "where nothing is missing nobody has to know");
  answer = letters("ab");
  for (nowMs = 3000; nowMs < 20_000; nowMs += 3000) assert.equal(await ask(), "abc", `${nowMs} ms`);
  assert.equal(asked, 1);
  nowMs = 24_000;
  assert.equal(await ask(), "ab", "the second look-up that lacks it");
});

Deno.test("RememberingResolver keeps what is missing no longer than half a minute for its TTL, and believes another answer at once", async () => {
  let nowMs = 0;
  let answer = letters("abc");
  const resolver = new RememberingResolver({
    services: NO_SERVICES,
    addresses: () => Promise.resolve(answer),
    ttlMs: () => Promise.resolve(86_400_000),
  }, () => nowMs);
  const ask = async () => [...await resolver.addresses("workers.test")].sort().join("");
  await ask();
  answer = letters("ab");
  assert.equal(await ask(), "abc");
  nowMs = 31_000;
  assert.equal(await ask(), "ab");
  answer = letters("a");
  await ask();
  answer = letters("ad");
  assert.equal(await ask(), "ad");
});
