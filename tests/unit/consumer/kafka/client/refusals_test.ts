import assert from "node:assert/strict";
import { TokenRefused } from "../../../../../consumer/kafka/client/oauth_tokens.ts";
import { Forbidden, refusalLine, refusalOf } from "../../../../../consumer/kafka/client/refusals.ts";

/** An error as kafkajs makes one. */
function told(message: string, fields: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error(message), fields);
}

/** An error of a connection that could not be made. */
function connection(code: string, message = "what node:tls says"): Error {
  const fields = { name: "KafkaJSConnectionError", code, broker: "kafka:9093" };
  return told(`Connection error: ${message}`, fields);
}

/** As kafkajs wraps it when it gives up. */
function given(cause: Error): Error {
  return told(cause.message, { name: "KafkaJSNumberOfRetriesExceeded", cause });
}

const AWAY: readonly Error[] = [
  connection("ECONNREFUSED"),
  connection("ECONNRESET"),
  connection("ENOTFOUND"),
  told("Connection timeout", { name: "KafkaJSConnectionError", broker: "kafka:9093" }),
  told("Closed connection", { name: "KafkaJSConnectionClosedError", broker: "kafka:9093" }),
  told("There is no leader", { name: "KafkaJSProtocolError", type: "LEADER_NOT_AVAILABLE" }),
  told("Failed to find group coordinator", { name: "KafkaJSGroupCoordinatorNotFound" }),
];

for (const error of AWAY) {
  Deno.test(`refusalOf() takes no refusal from ${error.name} ${(error as { code?: string }).code ?? ""}`, () => {
    assert.equal(refusalOf(error), undefined);
    assert.equal(refusalOf(given(error)), undefined);
  });
}

const REFUSED: readonly (readonly [Error, RegExp])[] = [
  [connection("SELF_SIGNED_CERT_IN_CHAIN"), /kafka:9093 is of no CA that we trust .*KAFKA_SSL_CA/],
  [connection("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /KAFKA_SSL_CA/],
  [connection("CERT_HAS_EXPIRED"), /certificate of kafka:9093 has expired\. Renew it on the broker/],
  [connection("ERR_TLS_CERT_ALTNAME_INVALID", "not in the list: "), /another host .*VERIFY_HOSTNAME=false/],
  [connection("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), /does not take our certificate .*KAFKA_SSL_CERT/],
  [connection("ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN"), /does not take our certificate/],
  [connection("ERR_SSL_WRONG_VERSION_NUMBER"), /no TLS can be agreed on .*KAFKA_SECURITY_PROTOCOL/],
  [told("wrong", { name: "KafkaJSSASLAuthenticationError" }), /wrong\. Check the user and password/],
  [told("not taken", { type: "UNSUPPORTED_SASL_MECHANISM" }), /not taken\. .*KAFKA_SASL_MECHANISM/],
  [new TokenRefused("https://id/token gave us no token"), /gave us no token\. Check KAFKA_OAUTH_TOKEN_URL/],
  [
    told("Not authorized", { type: "GROUP_AUTHORIZATION_FAILED" }),
    /Not authorized\. Give this user the right/,
  ],
  [
    new Forbidden(["read the topic a", "join the group b"]),
    /no right to read the topic a, nor to join the group/,
  ],
];

for (const [error, line] of REFUSED) {
  Deno.test(`refusalOf() has one line for ${error.name} ${line.source}`, () => {
    for (const each of [error, given(error), given(given(error))]) {
      const refusal = refusalOf(each);
      assert.ok(refusal !== undefined);
      assert.match(refusalLine(refusal), line);
      assert.doesNotMatch(refusalLine(refusal), /\n/);
    }
  });
}
