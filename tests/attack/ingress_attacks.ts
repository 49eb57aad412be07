// Attacks through the ingress: forged identities, calls that are no HTTP, slow callers, tokens spelt otherwise.

import assert from "node:assert/strict";
import { ASKS, type Attack, classify, rawStatus, ticket, TOKENS } from "./attack.ts";

const HEAD = `Host: a\r\nAuthorization: Bearer ${TOKENS.asks}\r\nContent-Type: application/json\r\n`;
const fields = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: 1\r\n`).join("");

const MALFORMED = [
  `POST /classify HTTP/1.1\r\n${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1`,
  `POST /classify HTTP/1.1\r\n${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  `GET /review HTTP/1.1\r\n${HEAD}${fields(119)}Connection: close\r\n\r\n`,
  `GET /review HTTP/1.1\r\n${HEAD}${fields(150)}Connection: close\r\n\r\n`,
  "GET /review HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
  "GET /review HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://elsewhere.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  `GET /review HTTP/1.1\r\n${HEAD}x: ${"y".repeat(30_000)}\r\n\r\n`,
  "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
];

/** Everything that is tried at the ingress. */
export const INGRESS_ATTACKS: readonly Attack[] = [
  {
    name: "a forged place and a far timestamp make no real event of a ticket stale",
    run: async (target) => {
      const forged = {
        "idempotency-key": '"support-tickets/0/9223372036854775807"',
        "ackpool-timestamp": "999999999999999",
        "ackpool-attempt": "1",
      };
      assert.equal((await classify(target, { ...ASKS, ...forged }, ticket(1))).status, 200);
      const { outcome } = await (await classify(target, ASKS, ticket(1))).json();
      assert.equal(outcome, "classified");
    },
  },
  {
    name: "a forged tombstone throws no ticket away",
    run: async (target) => {
      const answer = await classify(target, { ...ASKS, "ackpool-tombstone": "true" });
      assert.equal(answer.status, 200);
      assert.ok((await answer.json()).category);
    },
  },
  {
    name: "keys beyond what SQL takes are no error of ours",
    run: async (target) => {
      for (const key of ["t/9999999999/1", "t/0/9223372036854775808", "\u{1f}", "x".repeat(4000)]) {
        if (/[^\x20-\x7e]/.test(key)) continue;
        const answer = await classify(target, { ...ASKS, "idempotency-key": `"${key}"` });
        assert.ok(answer.status < 500, `${key}: ${answer.status}`);
        await answer.body?.cancel();
      }
    },
  },
  {
    name: "who may classify may not overrule, and nobody may do anything without a token",
    run: async ({ ingress }) => {
      const override = (authorization: string) =>
        fetch(`${ingress}/tickets/1/label`, {
          method: "PUT",
          headers: { "content-type": "application/json", authorization },
          body: '{"category":"other","by":"CEO"}',
        });
      assert.equal((await override(`Bearer ${TOKENS.asks}`)).status, 403);
      assert.equal((await override(`Bearer ${TOKENS.decides}`)).status, 200);
      assert.equal((await override("Bearer wrong")).status, 401);
      assert.equal((await fetch(`${ingress}/review`)).status, 401);
    },
  },
  {
    name: "a page of another site cannot make a browser relabel a ticket",
    run: async (target) => {
      for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded"]) {
        const headers = { authorization: ASKS.authorization, ...(type && { "content-type": type }) };
        const answer = await classify(target, headers, new TextEncoder().encode(ticket(2)));
        assert.equal(answer.status, 415, type ?? "no type");
        await answer.body?.cancel();
      }
    },
  },
  {
    name: "what is no HTTP gets a 4xx at the door and ejects no replica",
    run: async (target) => {
      for (let round = 0; round < 5; round++) {
        for (const text of MALFORMED) {
          const status = await rawStatus(target.ingress, text);
          assert.ok(
            status === undefined || (status >= 400 && status < 500),
            `${status}: ${text.slice(0, 40)}`,
          );
        }
      }
      assert.equal((await classify(target)).status, 200);
      assert.equal((await fetch(`${target.ingress}/readyz`)).status, 200);
    },
  },
  {
    name: "forty bodies that trickle hold no permit",
    run: async (target) => {
      const stop = new AbortController();
      const trickle = () =>
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
        });
      const slow = Array.from({ length: 40 }, () =>
        fetch(`${target.ingress}/classify`, {
          method: "POST",
          headers: ASKS,
          body: trickle(),
          signal: stop.signal,
        }).catch(() => undefined));
      const answers = await Promise.all(Array.from({ length: 8 }, () => classify(target)));
      assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
      stop.abort();
      await Promise.all(slow);
    },
  },
  {
    name: "five hundred half requests keep nobody out",
    run: async (target) => {
      const { hostname, port } = new URL(target.ingress);
      const half = await Promise.all(Array.from({ length: 500 }, async () => {
        const connection = await Deno.connect({ hostname, port: Number(port) });
        await connection.write(new TextEncoder().encode("POST /classify HTTP/1.1\r\nHost: a\r\nX-")).catch(
          () => {},
        );
        return connection;
      }));
      const more = await rawStatus(
        target.ingress,
        "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      )
        .catch(() => undefined);
      for (const connection of half) connection.close();
      // This address has all of its connections; once they are closed it may come again.
      assert.ok(more === undefined || more === 200, String(more));
      assert.equal((await classify(target)).status, 200);
    },
  },
];
