// Refusals: what Kafka refuses us (password, certificate, right, join), told apart from what is only away. Pure.

import { TokenRefused } from "./oauth_tokens.ts";

/** A refusal in plain words. */
export interface Refusal {
  /** Name of the cause. */
  readonly name: "kafka-credentials" | "kafka-certificate" | "kafka-forbidden" | "kafka-join-refused";
  /** What is refused, and where. */
  readonly detail: string;
  /** What an operator does about it. */
  readonly remedy: string;
}

/** We may not do what we have to. */
export class Forbidden extends Error {
  override readonly name = "Forbidden";
  /** @param rights such as "Read on the topic support-tickets". */
  constructor(readonly rights: readonly string[]) {
    super(`We have no right to ${rights.join(", nor to ")}`);
  }
}

/** As far as we look into errors that errors are made of. */
const DEPTH_MAX = 6;

/** What kafkajs and node:tls put into their errors. */
interface KafkaError extends Error {
  readonly type?: string;
  readonly code?: string | number;
  readonly broker?: string;
  readonly retriable?: boolean;
}

/** The refusal behind an error; undefined where waiting may be all that is needed. */
export function refusalOf(error: unknown): Refusal | undefined {
  return firstOf(error, (each) => certificateRefusal(each) ?? rightRefusal(each) ?? loginRefusal(each));
}

/** Why the group does not take us as a member, in Kafka's words; undefined where that is not what an error says. */
export function joinRefusalOf(error: unknown): Refusal | undefined {
  return firstOf(error, ({ type, message, retriable }) => {
    if (type === undefined || JOIN_REMEDIES[type] === undefined && retriable !== false) return undefined;
    return {
      name: "kafka-join-refused",
      detail: `Kafka does not let us join the group: ${message} (${type})`,
      remedy: JOIN_REMEDIES[type] ?? "Look at the other members of KAFKA_GROUP_ID. It joins again by itself.",
    };
  });
}

/** What an operator does about what a group's coordinator refuses. */
const JOIN_REMEDIES: Readonly<Record<string, string>> = {
  INCONSISTENT_GROUP_PROTOCOL:
    "Another member deals partitions out by a protocol that this one does not know: stop it, or set a KAFKA_GROUP_ID that is ours alone. It joins again by itself.",
  INVALID_SESSION_TIMEOUT:
    "Set KAFKA_SESSION_TIMEOUT_MS between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms.",
  INVALID_GROUP_ID: "Set a KAFKA_GROUP_ID that Kafka takes.",
  GROUP_MAX_SIZE_REACHED: "Run fewer consumers, or raise the brokers' group.max.size.",
  FENCED_INSTANCE_ID:
    "Another consumer has the same KAFKA_INSTANCE_ID: give each its own. It joins again by itself.",
};

function firstOf(error: unknown, read: (each: KafkaError) => Refusal | undefined): Refusal | undefined {
  let each = error as KafkaError | undefined;
  for (let depth = 0; each instanceof Error && depth < DEPTH_MAX; depth++) {
    const refusal = read(each);
    if (refusal !== undefined) return refusal;
    each = each.cause as KafkaError | undefined;
  }
  return undefined;
}

/** Whether a broker said that we have no right to what we asked for. */
export function isForbidden(error: unknown): boolean {
  return /_AUTHORIZATION_FAILED$/.test((error as Partial<KafkaError>).type ?? "");
}

/** One line: what, where, and what to do next. */
export function refusalLine({ detail, remedy }: Refusal): string {
  return `Kafka refuses us: ${detail}. ${remedy}`;
}

function loginRefusal({ name, message, broker, type }: KafkaError): Refusal | undefined {
  if (name === "KafkaJSSASLAuthenticationError" || type === "UNSUPPORTED_SASL_MECHANISM") {
    return {
      name: "kafka-credentials",
      detail: `${broker === undefined ? "" : `${broker}: `}${message}`,
      remedy: "Check the user and password (or the token's client) and KAFKA_SASL_MECHANISM.",
    };
  }
  if (name !== TokenRefused.name) return undefined;
  return {
    name: "kafka-credentials",
    detail: message,
    remedy:
      "Check KAFKA_OAUTH_TOKEN_URL, KAFKA_OAUTH_CLIENT_ID, KAFKA_OAUTH_CLIENT_SECRET and KAFKA_OAUTH_SCOPE.",
  };
}

function rightRefusal(error: KafkaError): Refusal | undefined {
  if (!(error instanceof Forbidden) && !isForbidden(error)) return undefined;
  return {
    name: "kafka-forbidden",
    detail: error.message,
    remedy: "Give this user the right with kafka-acls; docs/kafka_security.md lists those that are needed.",
  };
}

/** What node:tls says of a certificate whose CA we do not know. */
const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_(UNTRUSTED|REJECTED|REVOKED|SIGNATURE_FAILURE|CHAIN_TOO_LONG)|INVALID_(CA|PURPOSE))$/;
/** Alerts about what we showed, or did not. */
const OURS =
  /ALERT_(CERTIFICATE_REQUIRED|NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;
/** No way to talk was found. */
const PROTOCOL =
  /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_UNSUPPORTED_PROTOCOL|ERR_SSL_\w*ALERT_(HANDSHAKE_FAILURE|PROTOCOL_VERSION|INSUFFICIENT_SECURITY))$/;

function certificateRefusal({ code, broker, message }: KafkaError): Refusal | undefined {
  if (typeof code !== "string") return undefined;
  const said = certificateWords(code, broker ?? "a broker", message.replace(/^Connection error: /, ""));
  return said === undefined ? undefined : { name: "kafka-certificate", detail: said[0], remedy: said[1] };
}

function certificateWords(code: string, broker: string, message: string): [string, string] | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH") {
    return [
      `the certificate of ${broker} is for another host (${message.replace(/:\s*$/, "")})`,
      "Use a name that it has in KAFKA_BROKERS and advertised.listeners, or set KAFKA_SSL_VERIFY_HOSTNAME=false.",
    ];
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const what = code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet";
    return [`the certificate of ${broker} ${what}`, "Renew it on the broker, or look at the clocks."];
  }
  if (UNTRUSTED.test(code)) {
    return [
      `the certificate of ${broker} is of no CA that we trust (${code})`,
      "Set KAFKA_SSL_CA to the file with the CA that signed it.",
    ];
  }
  if (OURS.test(code)) {
    return [
      `${broker} does not take our certificate (${message})`,
      "Set KAFKA_SSL_CERT and KAFKA_SSL_KEY to one that is valid and of a CA that the brokers trust.",
    ];
  }
  if (!PROTOCOL.test(code)) return undefined;
  return [
    `no TLS can be agreed on with ${broker} (${message})`,
    "Check KAFKA_SECURITY_PROTOCOL and the port.",
  ];
}
