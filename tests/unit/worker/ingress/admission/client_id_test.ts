// Tests of whose call it is.

import assert from "node:assert/strict";
import { clientOf } from "../../../../../worker/ingress/admission/client_id.ts";

const of = (peer: string | undefined, forwardedFor: string | undefined, proxies: number) =>
  clientOf({ bearer: undefined, peer, forwardedFor }, proxies);

Deno.test("clientOf() is the address at the other end, whatever the caller says of itself", () => {
  assert.equal(of("203.0.113.7", "198.51.100.1", 0), "203.0.113.7");
  assert.equal(of(undefined, "198.51.100.1", 0), "unknown");
});

Deno.test("clientOf() believes our own proxies alone: those from the end of X-Forwarded-For", () => {
  const written = "1.2.3.4, 203.0.113.7, 10.0.0.2";
  assert.equal(of("10.0.0.1", written, 1), "10.0.0.2");
  assert.equal(of("10.0.0.1", written, 2), "203.0.113.7");
  assert.equal(of("10.0.0.1", undefined, 1), "10.0.0.1");
  assert.equal(of("10.0.0.1", "203.0.113.7", 2), "10.0.0.1");
});

Deno.test("clientOf() takes the /64 of an IPv6 address for one client", () => {
  assert.equal(of("2001:db8:1:2::1", undefined, 0), "2001:db8:1:2::/64");
  assert.equal(of("2001:db8:1:2:ffff::9", undefined, 0), "2001:db8:1:2::/64");
  assert.equal(of("10.0.0.1", "[2001:0db8:0001:0002:0:0:0:7]:443", 1), "2001:db8:1:2::/64");
  assert.equal(of("::1", undefined, 0), "0:0:0:0::/64");
  assert.equal(of("::ffff:203.0.113.7", undefined, 0), "203.0.113.7");
});

Deno.test("clientOf() names a token's owner without the token", () => {
  const name = clientOf({ bearer: "0a1b2c3d", peer: "10.0.0.1", forwardedFor: undefined }, 0);
  assert.equal(name, "token:0a1b2c3d");
  assert.notEqual(name, clientOf({ bearer: "11111111", peer: "10.0.0.1", forwardedFor: undefined }, 0));
});
