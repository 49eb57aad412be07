// Attacks on the consumer's operations: no token, a page that rebinds its name, bodies without end.

import assert from "node:assert/strict";
import { type Attack, rawStatus, TOKENS } from "./attack.ts";

const PATHS = ["/dead-letters", "/parked", "/records/support-tickets/0/0"];

/** Everything that is tried at the admin port. */
export const ADMIN_ATTACKS: readonly Attack[] = [
  {
    name: "dead letters are shown to nobody without the token, health to everybody",
    run: async ({ admin }) => {
      for (const path of PATHS) {
        for (const authorization of ["", "Bearer wrong", `Bearer ${TOKENS.delivery}`]) {
          const answer = await fetch(`${admin}${path}`, { headers: { authorization } });
          assert.equal(answer.status, 401, `${path} with ${authorization}`);
          await answer.body?.cancel();
        }
      }
      assert.equal((await fetch(`${admin}/livez`)).status, 200);
    },
  },
  {
    name: "a page of another origin drops nothing, even with the token",
    run: async ({ admin }) => {
      for (const origin of ["https://evil.example", "null"]) {
        const answer = await fetch(`${admin}/dead-letters/drop`, {
          method: "POST",
          headers: { authorization: `Bearer ${TOKENS.admin}`, "content-type": "application/json", origin },
          body: '{"everything":true}',
        });
        assert.equal(answer.status, 403, origin);
        await answer.body?.cancel();
      }
      const rebound =
        "POST /dead-letters/drop HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n" +
        'Content-Length: 19\r\nConnection: close\r\n\r\n{"everything":true}';
      assert.equal(await rawStatus(admin, rebound), 401);
    },
  },
  {
    name: "a body of 900 MB is refused before it is in memory",
    run: async ({ admin }) => {
      let sent = 0;
      const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          sent += 65_536;
          if (sent > 900_000_000) controller.close();
          else controller.enqueue(new Uint8Array(65_536));
        },
      });
      const status = await fetch(`${admin}/dead-letters/drop`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKENS.admin}`, "content-type": "application/json" },
        body: endless,
      }).then((answer) => answer.status, () => 413);
      assert.equal(status, 413);
      assert.ok(sent < 50_000_000, `${sent} bytes were taken`);
    },
  },
];
