// Sessions of browsers that have logged in.

import assert from "node:assert/strict";
import {
  sealSession,
  SESSION_MS,
  sessionCookieName,
  tokenOfSession,
} from "../../../../shared/http/session_cookie.ts";

const NOW_MS = 1_800_000_000_000;

Deno.test("tokenOfSession() takes a session until it ends, and only from those who know its token", () => {
  const session = sealSession("s3cret", NOW_MS);
  assert.equal(tokenOfSession(session, ["other", "s3cret"], NOW_MS + SESSION_MS - 1), "s3cret");
  assert.equal(tokenOfSession(session, ["s3cret"], NOW_MS + SESSION_MS), undefined);
  assert.equal(tokenOfSession(session, ["replaced"], NOW_MS), undefined);
  assert.equal(tokenOfSession(session, [], NOW_MS), undefined);
});

Deno.test("tokenOfSession() takes no session that was lengthened, cut or made up", () => {
  const session = sealSession("s3cret", NOW_MS);
  const [ends = "", seal = ""] = session.split(".");
  const later = String(Number(ends) + 60_000);
  for (
    const forged of [
      `${later}.${seal}`,
      `${ends}.${seal.slice(1)}`,
      `${ends}.${"0".repeat(64)}`,
      "",
      "x",
      undefined,
    ]
  ) {
    assert.equal(tokenOfSession(forged, ["s3cret"], NOW_MS), undefined, forged);
  }
});

Deno.test("sessionCookieName() differs by port, since a host's programs share its cookies", () => {
  assert.equal(sessionCookieName("localhost:8080"), "ackpool-session-8080");
  assert.equal(sessionCookieName("[::1]:8081"), "ackpool-session-8081");
  assert.equal(sessionCookieName("ackpool.example"), "ackpool-session-80");
});
