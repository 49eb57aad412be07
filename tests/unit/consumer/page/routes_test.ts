// What the page answers.

import assert from "node:assert/strict";
import { partitionOf } from "../core/why/fixtures.ts";
import { adminWith } from "./fixtures.ts";

const LOCAL = { host: "localhost:8080" };

Deno.test("every screen is a whole document under a policy that lets nothing in from elsewhere", async () => {
  const app = adminWith(undefined);
  for (const path of ["/", "/page/partitions", "/page/pool", "/page/tickets", "/page/dead-letters"]) {
    const answer = await app.request(path, { headers: LOCAL });
    const html = await answer.text();
    assert.equal(answer.status, 200, path);
    assert.match(
      answer.headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'self';/,
    );
    assert.ok(html.startsWith("<!doctype html><html lang="), path);
    assert.doesNotMatch(
      html,
      /https?:\/\/(?!www\.w3\.org)|<style|style="|<script(?! type="module" src="\/page\/)/,
      path,
    );
  }
  assert.equal((await app.request("/page/nothing", { headers: LOCAL })).status, 404);
  assert.equal((await app.request("/page/assets/__proto__", { headers: LOCAL })).status, 404);
});

Deno.test("without a token the page answers to names of this machine alone", async () => {
  const app = adminWith(undefined);
  for (const path of ["/", "/state", "/page/live/now"]) {
    assert.equal((await app.request(path, { headers: { host: "evil.example" } })).status, 403, path);
  }
});

Deno.test("GET /state says what the screens show", async () => {
  const lastOutcome = { kind: "answer", status: 503, excerpt: '{"title":"No room"}' } as const;
  const partitions = [partitionOf(0), partitionOf(1, 7, { attemptsSent: 3, lastOutcome })];
  const app = adminWith(undefined, { partitions });
  const state = await (await app.request("/state", { headers: LOCAL })).json();
  assert.deepEqual(
    state.partitions.map(({ id, backlog }: { id: string; backlog: number }) => [id, backlog]),
    [
      ["tickets/1", 7],
      ["tickets/0", 0],
    ],
  );
  assert.deepEqual(state.partitions[0].head, {
    at: "tickets/1/10",
    state: "waiting",
    attempts: 3,
    attempts_counted: 0,
    age_ms: 60_000,
    last: "503",
    said: "No room",
  });
  const html = await (await app.request("/page/partitions", { headers: LOCAL })).text();
  assert.match(html, /tickets\/1\/10<\/a>: waiting, 3 attempts \(0 counted\), 1 min old/);
});

Deno.test("what a worker said is shown as text, whatever it is", async () => {
  const lastOutcome = { kind: "answer", status: 500, excerpt: '{"title":"<img src=x>\\"&"}' } as const;
  const app = adminWith(undefined, { partitions: [partitionOf(0, 1, { attemptsSent: 2, lastOutcome })] });
  const html = await (await app.request("/page/partitions", { headers: LOCAL })).text();
  assert.doesNotMatch(html, /<img/);
  assert.match(html, /&lt;img src=x&gt;/);
});

Deno.test("GET /page/live/… sends a screen, then only what has changed, and ends with the consumer", async () => {
  const closing = new AbortController();
  const app = adminWith(undefined, {}, { closing: closing.signal });
  const answer = await app.request("/page/live/pool", { headers: LOCAL });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = (answer.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /^event: screen\ndata: <section class="banner idle"/);
  assert.match((await reader.read()).value ?? "", /^event: same\n/);
  closing.abort();
  assert.equal((await reader.read()).done, true);
});

Deno.test("GET /page/live/… is refused beyond twenty readers, and free again when they go", async () => {
  const closing = new AbortController();
  const app = adminWith(undefined, {}, { closing: closing.signal });
  const read = () => app.request("/page/live/now", { headers: LOCAL });
  const readers = await Promise.all(Array.from({ length: 20 }, read));
  assert.equal((await read()).status, 503);
  await Promise.all(readers.slice(0, 1).map(({ body }) => body?.cancel()));
  closing.abort();
  await Promise.all(readers.slice(1).map((each) => each.text()));
});
