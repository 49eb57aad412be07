// What the doctor looks at in Kafka: brokers, topics, side topics, the group, and our rights. It makes nothing.

import type { Admin } from "kafkajs";
import { hasOwnKafka } from "../../consumer/cli/environment.ts";
import { type ConsumerConfig, parseConfig } from "../../consumer/config.ts";
import { clientOf, createKafka } from "../../consumer/kafka/client/client.ts";
import { LazyAdmin } from "../../consumer/kafka/client/lazy_admin.ts";
import { refusalOf } from "../../consumer/kafka/client/refusals.ts";
import { checkTlsFiles } from "../../consumer/kafka/client/security_config.ts";
import { AclProbe } from "../../consumer/kafka/topics/acl_probe.ts";
import { ReadAccess } from "../../consumer/kafka/topics/read_access.ts";
import { describeTopics, selectTopics } from "../../consumer/kafka/topics/topic_selection.ts";
import { readTopicSettings, weaknessesOf } from "../../consumer/kafka/topics/topic_settings.ts";
import { deadLetterTopicOf, retryTopicOf, sidesOf } from "../../consumer/records/topic_names.ts";
import { collectProblems, type Environment } from "../../shared/config/read.ts";
import { type Finding, Findings } from "./finding.ts";

/** A person waits, so a broker that is away is asked once more and no oftener. */
const RETRIES = 1;

/** @param env the environment of a command: with what a running start adds. */
export async function checkKafka(env: Environment): Promise<readonly Finding[]> {
  const findings = new Findings();
  if (!hasOwnKafka(env)) {
    findings.embedded("broker", "KAFKA_BROKERS is not set: start brings a Kafka of its own");
    return findings.all;
  }
  const [config] = collectProblems(() => parseConfig(env), () => checkTlsFiles(env));
  const kafka = createKafka({ ...clientOf(config), clientId: "ackpool-doctor" }, RETRIES, true);
  const admin = new LazyAdmin(kafka, RETRIES);
  const rights = new AclProbe(kafka);
  try {
    await lookAtBrokers(findings, await admin.connected(), config);
    await lookAtTopics(findings, await admin.connected(), rights, config);
    await lookAtGroup(findings, await admin.connected(), config);
  } catch (error) {
    const refusal = refusalOf(error);
    findings.fail(
      refusal === undefined ? "broker" : refusal.name,
      refusal?.detail ?? `${config.kafka.brokers.join(", ")}: ${(error as Error).message}`,
      refusal?.remedy ?? "Start the brokers, or check KAFKA_BROKERS and their advertised.listeners",
    );
  } finally {
    await Promise.all([admin.close(), rights.close()]);
  }
  return findings.all;
}

async function lookAtBrokers(findings: Findings, admin: Admin, { kafka }: ConsumerConfig): Promise<void> {
  const startedMs = performance.now();
  const { brokers } = await admin.describeCluster();
  const tookMs = Math.round(performance.now() - startedMs);
  const places = brokers.map(({ host, port }) => `${host}:${port}`).join(", ");
  findings.ok("broker", `${kafka.brokers.join(", ")} answers in ${tookMs} ms; the cluster is ${places}`);
}

async function lookAtTopics(
  findings: Findings,
  admin: Admin,
  rights: AclProbe,
  config: ConsumerConfig,
): Promise<void> {
  const { source: { topics, groupId } } = config;
  const existing = await admin.listTopics();
  const { found, missing } = selectTopics(topics, existing, sidesOf(config));
  for (const topic of missing) {
    findings.warn(
      "topic",
      `there is no topic ${topic}, or we may not see it`,
      "Make it, or correct KAFKA_TOPIC; the consumer waits for it",
    );
  }
  if (found.length === 0 && missing.length === 0) {
    findings.warn("topic", `no topic matches ${describeTopics(topics)}`, "Make one, or correct KAFKA_TOPIC");
  }
  for (const topic of found) {
    const settings = await readTopicSettings(admin, topic);
    findings.ok("topic", `${topic}: ${settings?.partitions} partitions, ${settings?.replicas} replicas`);
    await lookAtSides(findings, admin, rights, config, topic, existing);
  }
  const lacking = await new ReadAccess(admin, rights).missing(found, groupId);
  for (const right of lacking) {
    findings.fail("rights", `we may not ${right}`, "Grant it: docs/kafka_security.md has the ACLs");
  }
  if (lacking.length === 0 && found.length > 0) findings.ok("rights", `we may read, and join ${groupId}`);
}

async function lookAtSides(
  findings: Findings,
  admin: Admin,
  rights: AclProbe,
  { source: { groupId }, deadLetterTopic, retryTopic }: ConsumerConfig,
  topic: string,
  existing: readonly string[],
): Promise<void> {
  const source = await readTopicSettings(admin, topic);
  const sides = [
    deadLetterTopicOf(topic, groupId, deadLetterTopic),
    retryTopicOf(topic, groupId, retryTopic),
  ];
  for (const side of sides) {
    if (!existing.includes(side)) {
      findings.ok(
        "side topic",
        `${side} is not there yet: the consumer makes it with ${source?.replicas} replicas`,
      );
      continue;
    }
    const settings = await readTopicSettings(admin, side);
    const weak = source === undefined || settings === undefined
      ? []
      : weaknessesOf(side, settings, topic, source);
    for (const why of weak) {
      findings.warn("side topic", why, "Raise it by kafka-reassign-partitions or kafka-configs");
    }
    if (!await rights.mayWrite(side)) {
      findings.fail("side topic", `we may not write ${side}`, "Grant Write: without it dead letters wait");
    } else if (weak.length === 0) {
      findings.ok(
        "side topic",
        `${side}: ${settings?.partitions} partitions, ${settings?.replicas} replicas`,
      );
    }
  }
}

async function lookAtGroup(
  findings: Findings,
  admin: Admin,
  { source: { groupId } }: ConsumerConfig,
): Promise<void> {
  try {
    const { groups: [group] } = await admin.describeGroups([groupId]);
    const members = group?.members.length ?? 0;
    findings.ok(
      "group",
      members === 0 ? `${groupId} has no member now` : `${groupId} has ${members} members`,
    );
  } catch (error) {
    // The embedded Kafka does not know the question.
    if (refusalOf(error) !== undefined) throw error;
    findings.ok("group", `${groupId}; its members cannot be asked for here`);
  }
}
