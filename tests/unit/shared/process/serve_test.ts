import assert from "node:assert/strict";
import { serve } from "../../../../shared/process/serve.ts";
import { StartError } from "../../../../shared/process/start_error.ts";

const refused = (port: number, hostname: string) => () => serve(port, "PORT", () => new Response(), hostname);

Deno.test("serve() listens on the address it is told, and on all of them by itself", async () => {
  const own = serve(0, "PORT", () => new Response("here"), "127.0.0.1");
  const all = serve(0, "PORT", () => new Response("here"));
  assert.deepEqual([own.addr.hostname, all.addr.hostname], ["127.0.0.1", "0.0.0.0"]);
  await Promise.all([own.shutdown(), all.shutdown()]);
});

Deno.test("serve() says which variable to change when it cannot listen", async () => {
  // 203.0.113.0/24 is for documentation (RFC 5737): nobody has such an address.
  assert.throws(refused(0, "203.0.113.1"), (error: Error) => {
    assert.equal(
      error.message,
      "203.0.113.1 is not an address of this machine. Set LISTEN_ADDRESS to one, or to 0.0.0.0 for all.",
    );
    return error instanceof StartError;
  });
  const first = serve(0, "PORT", () => new Response(), "127.0.0.1");
  assert.throws(
    refused(first.addr.port, "127.0.0.1"),
    /^StartError: Port \d+ is in use\. .*set PORT to another port\.$/,
  );
  await first.shutdown();
});
