// Programs that a real broker refuses at the start: wrong passwords, certificates and tokens, and missing rights.

import assert from "node:assert/strict";
import { GuardedKafka } from "../support/kafka/guarded_kafka.ts";
import { GuardedScene, refusalOf } from "../support/kafka/guarded_scene.ts";

Deno.test("a program that Kafka refuses at the start ends with one line that says", async (t) => {
  await using kafka = await GuardedKafka.start();

  await t.step("who or what is refused", async () => {
    const scene = await GuardedScene.allowing(kafka, "alice", "ANONYMOUS");
    const stranger = await kafka.stranger.issue({ name: "stranger" });
    const [wrongPassword, strangeCa] = [{ KAFKA_PASSWORD: "x" }, { KAFKA_SSL_CA: kafka.stranger.ca }];
    const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      [
        "consumer",
        scene.env("SCRAM", wrongPassword),
        /SCRAM.*invalid credentials.*Check the user and password/,
      ],
      ["consumer", scene.env("SCRAM", { KAFKA_SASL_MECHANISM: "PLAIN" }), /KAFKA_SASL_MECHANISM/],
      ["consumer", scene.env("SCRAM", strangeCa), /of no CA that we trust.*KAFKA_SSL_CA/],
      ["consumer", scene.env("OTHER"), /is for another host.*KAFKA_SSL_VERIFY_HOSTNAME=false/],
      ["consumer", scene.env("EXPIRED"), /has expired/],
      ["consumer", scene.env("MTLS"), /does not take our certificate.*KAFKA_SSL_CERT/],
      [
        "consumer",
        scene.env("MTLS", { KAFKA_SSL_CERT: stranger.cert, KAFKA_SSL_KEY: stranger.key }),
        /does not take our certificate/,
      ],
      [
        "consumer",
        scene.env("OAUTH", { KAFKA_OAUTH_CLIENT_SECRET: "x" }),
        /\/token gave us no token but 401: invalid_client.*KAFKA_OAUTH_CLIENT_ID/,
      ],
      ["drain", scene.env("SCRAM", wrongPassword), /invalid credentials/],
      ["lag", scene.env("SCRAM", strangeCa), /of no CA that we trust/],
      [
        "consumer",
        scene.env("OTHER", { ...strangeCa, KAFKA_SSL_VERIFY_HOSTNAME: "false" }),
        /of no CA/,
      ],
    ];
    await Promise.all(
      cases.map(async ([task, env, line]) => assert.match(await refusalOf(task, env), line)),
    );
    const listing = await refusalOf("dlq", scene.env("SCRAM", wrongPassword), ["list"]);
    assert.match(listing, /invalid credentials/);
  });

  await t.step("which rights are missing", async () => {
    const scene = await GuardedScene.in(kafka);
    const { readTopic } = scene.rights("alice");
    const refused = async (task: string, words: string) =>
      assert.match(await refusalOf(task, scene.env("SCRAM")), new RegExp(words));
    await refused("consumer", `no right to read the topic ${scene.topic}\\.`);
    await refused("lag", `no right to see the topic ${scene.topic}\\.`);
    await kafka.allow({ ...readTopic, operation: "DESCRIBE" });
    await refused(
      "drain",
      `read the topic ${scene.topic}, nor to join the group ${scene.group}\\..*kafka-acls`,
    );
    await kafka.allow(readTopic);
    await refused("consumer", `no right to join the group ${scene.group}\\.`);
  });
});
