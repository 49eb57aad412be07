// A real broker on which everything needs a right, with listeners for passwords, certificates and tokens.

import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from "kafkajs";
import { Authority, type Issued } from "./authority.ts";
import { RealKafka } from "./real_kafka.ts";
import { TestKafka } from "./test_kafka.ts";
import { TokenServer } from "./token_server.ts";

/** Who may do what. */
export interface Right {
  /** `alice`, or `CN=first`. */
  readonly user: string;
  readonly operation: "READ" | "WRITE" | "DESCRIBE" | "CREATE";
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
  /** The name is how names begin. */
  readonly prefixed?: true;
}

const MODULE = "org.apache.kafka.common.security";
/** What the users' tokens live, in seconds. */
const TOKEN_SECONDS = 15;

/** `await using` ends the broker and removes the certificates. */
export class GuardedKafka implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #admin: Admin;

  private constructor(
    readonly broker: RealKafka,
    /** A client that may do everything. */
    readonly kafka: TestKafka,
    readonly authority: Authority,
    /** Signs what no broker takes. */
    readonly stranger: Authority,
    readonly tokens: TokenServer,
    stack: AsyncDisposableStack,
  ) {
    this.#stack = stack;
    this.#admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
  }

  static async start(): Promise<GuardedKafka> {
    await using starting = new AsyncDisposableStack();
    const authority = starting.use(await Authority.make());
    const stranger = starting.use(await Authority.make());
    const here = await authority.issue({ name: "broker", host: "IP:127.0.0.1" });
    const tokens = starting.use(await TokenServer.start("robot", TOKEN_SECONDS, here));
    const broker = starting.use(await startBroker(authority, here, tokens));
    const kafka = starting.use(await TestKafka.connect(broker.brokers));
    const guarded = new GuardedKafka(broker, kafka, authority, stranger, tokens, starting.move());
    guarded.#stack.defer(() => guarded.#admin.disconnect());
    await guarded.#admin.connect();
    return guarded;
  }

  /** The environment of a client of this listener; `more` adds to it or replaces it. */
  env(
    listener: "SCRAM" | "MTLS" | "OTHER" | "EXPIRED" | "OAUTH",
    more: Readonly<Record<string, string>> = {},
  ): Record<string, string> {
    const tls = { KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_CA: this.authority.ca };
    const own: Readonly<Record<typeof listener, Record<string, string>>> = {
      SCRAM: {
        ...tls,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
        KAFKA_USERNAME: "alice",
        KAFKA_PASSWORD: "wonderland",
      },
      MTLS: tls,
      OTHER: tls,
      EXPIRED: tls,
      OAUTH: {
        ...tls,
        KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
        KAFKA_SASL_MECHANISM: "OAUTHBEARER",
        KAFKA_OAUTH_TOKEN_URL: this.tokens.url,
        KAFKA_OAUTH_CLIENT_ID: this.tokens.clientId,
        KAFKA_OAUTH_CLIENT_SECRET: this.tokens.clientSecret,
      },
    };
    return { KAFKA_BROKERS: this.broker.brokersOf(listener), ...own[listener], ...more };
  }

  /** Gives rights. */
  async allow(...rights: readonly Right[]): Promise<void> {
    await this.#admin.createAcls({ acl: rights.map(toAcl) });
  }

  /** Takes rights away. */
  async forbid(...rights: readonly Right[]): Promise<void> {
    await this.#admin.deleteAcls({ filters: rights.map(toAcl) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

async function startBroker(authority: Authority, here: Issued, tokens: TokenServer): Promise<RealKafka> {
  const elsewhere = await authority.issue({ name: "elsewhere", host: "DNS:elsewhere.invalid" });
  const expired = await authority.issue({ name: "expired", host: "IP:127.0.0.1", days: -1 });
  const keySet = `${authority.ca}.jwks`;
  await Deno.writeTextFile(keySet, await tokens.keySet());
  const tls = ({ both }: Issued) => ({
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": both,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": authority.ca,
  });
  return await RealKafka.start({
    listeners: [
      {
        name: "SCRAM",
        protocol: "SASL_SSL",
        properties: {
          ...tls(here),
          "sasl.enabled.mechanisms": "SCRAM-SHA-512",
          "scram-sha-512.sasl.jaas.config": `${MODULE}.scram.ScramLoginModule required;`,
        },
      },
      { name: "MTLS", protocol: "SSL", properties: { ...tls(here), "ssl.client.auth": "required" } },
      { name: "OTHER", protocol: "SSL", properties: tls(elsewhere) },
      { name: "EXPIRED", protocol: "SSL", properties: tls(expired) },
      {
        name: "OAUTH",
        protocol: "SASL_SSL",
        properties: {
          ...tls(here),
          "sasl.enabled.mechanisms": "OAUTHBEARER",
          "oauthbearer.sasl.jaas.config": `${MODULE}.oauthbearer.OAuthBearerLoginModule required;`,
          "oauthbearer.sasl.server.callback.handler.class":
            `${MODULE}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
          // Brokers end sessions with their tokens, so that tokens have to be renewed.
          "oauthbearer.connections.max.reauth.ms": "600000",
        },
      },
    ],
    properties: {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
      "sasl.oauthbearer.jwks.endpoint.url": `file://${keySet}`,
    },
    formatArgs: ["--add-scram", "SCRAM-SHA-512=[name=alice,password=wonderland]"],
    javaArgs: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${keySet}`],
  });
}

function toAcl({ user, operation, topic, group, transactionalId, prefixed }: Right) {
  return {
    principal: `User:${user}`,
    host: "*",
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: topic !== undefined
      ? AclResourceTypes.TOPIC
      : group !== undefined
      ? AclResourceTypes.GROUP
      : AclResourceTypes.TRANSACTIONAL_ID,
    resourceName: topic ?? group ?? transactionalId ?? "",
    resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  };
}
