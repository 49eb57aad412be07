import assert from "node:assert/strict";
import type { AuthenticationProviderArgs } from "kafkajs";
import { toSasl } from "../../../../../consumer/kafka/client/sasl.ts";

const LOGIN = { mechanism: "SCRAM-SHA-256", username: "alice", password: "wonderland" } as const;

/** Logs in at a broker that fails so. */
async function failingWith(error: Error): Promise<Error> {
  const nothing = () => {};
  const logger = { info: nothing, error: nothing, warn: nothing, debug: nothing };
  const authenticator = toSasl(LOGIN).authenticationProvider({
    host: "kafka",
    port: 9092,
    logger: { ...logger, namespace: () => logger, setLogLevel: nothing } as never,
    saslAuthenticate: (() => Promise.reject(error)) as AuthenticationProviderArgs["saslAuthenticate"],
  });
  return await authenticator.authenticate().then(() => new Error("logged in"), (error: Error) => error);
}

Deno.test("toSasl() says refused when the broker says so", async () => {
  const said = Object.assign(new Error("invalid credentials"), { type: "SASL_AUTHENTICATION_FAILED" });
  const error = await failingWith(said);
  assert.equal(error.name, "KafkaJSSASLAuthenticationError");
  assert.match(error.message, /invalid credentials/);
});

Deno.test("toSasl() does not take a connection that ends while we log in for a refusal", async () => {
  const lost = Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionClosedError" });
  assert.equal(await failingWith(lost), lost);
});
