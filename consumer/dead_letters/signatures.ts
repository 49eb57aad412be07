// Signatures: prove that a record of a dead-letter or retry topic was written by Ackpool, as it is, for that topic.

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { logger } from "../../shared/log.ts";
import type { PlacedRecord } from "../records/log_access.ts";
import { headerText, type HeaderValue, type KafkaRecord } from "../records/record.ts";
import { carryHeaders } from "./carried_headers.ts";
import { Header, UNSIGNED } from "./letter.ts";
import { MARK } from "./marks/marks.ts";

const log = logger("consumer");

/** Says how the rest is made, so that it can be made otherwise one day. */
const VERSION = "v1:";

/** What is signed. */
type Signed = Pick<KafkaRecord, "topic" | "partition" | "key" | "value" | "headers">;

/** The record is signed, and there is no secret to sign what follows from it. */
export class SecretMissing extends Error {
  override readonly name = "SecretMissing";
}

/** Signs and checks with the secrets of one group; without any, every record is taken for one of ours. */
export class Signatures {
  readonly #secrets: readonly string[];
  readonly #trustUnsigned: boolean;
  readonly #strange: Set<string> = new Set();
  #sawSigned = false;

  /**
   * @param secrets the first signs, all of them prove.
   * @param trustUnsigned an operator vouches for what no secret proves.
   */
  constructor(secrets: readonly string[], trustUnsigned = false) {
    this.#secrets = secrets;
    this.#trustUnsigned = trustUnsigned;
  }

  /** The record with its signature; as it is where there is no secret. */
  sign(record: PlacedRecord): PlacedRecord {
    const [secret] = this.#secrets;
    if (secret === undefined) return record;
    const signature = VERSION + digest(secret, record).toString("base64url");
    return { ...record, headers: { ...record.headers, [Header.signature]: signature } };
  }

  /** Whether we wrote it. */
  isOurs(record: Signed): boolean {
    const text = headerText(record.headers[Header.signature]);
    this.#sawSigned ||= text !== undefined;
    if (this.#secrets.length === 0 || this.#trustUnsigned) return true;
    if (text === undefined || !text.startsWith(VERSION)) return false;
    const given = Buffer.from(text.slice(VERSION.length), "base64url");
    return this.#secrets.some((secret) => {
      const expected = digest(secret, record);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }

  /** The record as it is where it is ours; else with its headers under names that mean nothing, and told once a topic. */
  check(record: KafkaRecord): KafkaRecord {
    if (this.isOurs(record)) return record;
    const { topic, partition, offset } = record;
    if (!this.#strange.has(topic)) {
      log.warn("records that no secret proves", { cause: UNSIGNED, topic, partition, offset });
    }
    this.#strange.add(topic);
    return { ...record, headers: { ...carryHeaders(record.headers), [Header.reason]: UNSIGNED } };
  }

  /** As {@link requireSecret}, for those who only look; an operator may vouch for what they see. */
  requireSecretToLook(): void {
    if (!this.#trustUnsigned) this.requireSecret();
  }

  /**
   * Before something is made of records that were checked.
   *
   * @throws {SecretMissing} where they are signed and there is no secret: nobody would believe it.
   */
  requireSecret(): void {
    if (this.#secrets.length > 0 || !this.#sawSigned) return;
    throw new SecretMissing("These dead letters are signed: set DEAD_LETTER_SECRET as the consumers have it");
  }

  /** What was found. */
  notes(): readonly string[] {
    if (this.#strange.size === 0) return [];
    const topics = [...this.#strange].join(", ");
    return [
      `${UNSIGNED}: ${topics} has records that no secret proves; their ackpool-* headers count for nothing`,
    ];
  }
}

/**
 * HMAC-SHA256 over where the record is, key, value and headers, the lengths of all parts before them. A letter's partition is
 * left out: its writer does not know how many the topic has. A mark is good for the letters of its own partition only.
 */
function digest(secret: string, { topic, partition, key, value, headers }: Signed): Buffer {
  const place = headers[MARK] === undefined ? topic : `${topic}/${partition}`;
  const parts = [Buffer.from(place), key, value, ...pairs(headers).flat()];
  const lengths = Buffer.from(parts.map((part) => part?.length ?? -1).join());
  // Hashed in one piece: each update of a hash costs as much as hashing a kilobyte.
  const whole = Buffer.concat([lengths, ...parts.filter((part) => part !== null)]);
  return createHmac("sha256", secret).update(whole).digest();
}

/** Headers as Kafka has them, in an order that does not depend on how they were read. */
function pairs(headers: Signed["headers"]): readonly (readonly [name: Uint8Array, value: Uint8Array])[] {
  return Object.entries(headers)
    .filter(([name, value]) => name !== Header.signature && value !== undefined)
    .sort(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([name, value]) => [value].flat().map((each) => [Buffer.from(name), bytesOf(each)] as const));
}

/** A header without a value is written as an empty one. */
function bytesOf(value: Exclude<HeaderValue, readonly unknown[]>): Uint8Array {
  return typeof value === "string" ? Buffer.from(value) : value ?? new Uint8Array();
}
