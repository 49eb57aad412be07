// Security configuration: what the environment says of TLS, passwords and tokens, and which of it does not fit together.

import type { Values, VariableName } from "../../../shared/config/variables.ts";
import type { Login } from "./sasl.ts";
import { readPem, type TlsFiles } from "./tls_files.ts";
import { type Environment, readVariables } from "../../../shared/config/read.ts";

const PASSWORD = ["KAFKA_USERNAME", "KAFKA_PASSWORD"] as const;
const TOKEN = ["KAFKA_OAUTH_TOKEN_URL", "KAFKA_OAUTH_CLIENT_ID", "KAFKA_OAUTH_CLIENT_SECRET"] as const;
const FILES = ["KAFKA_SSL_CA", "KAFKA_SSL_CERT", "KAFKA_SSL_KEY", "KAFKA_SSL_KEY_PASSPHRASE"] as const;

const TLS = ["KAFKA_SECURITY_PROTOCOL", ...FILES, "KAFKA_SSL_VERIFY_HOSTNAME"] as const;

/** The variables this file reads. */
export const SECURITY_NAMES = [
  "KAFKA_SECURITY_PROTOCOL",
  "KAFKA_SASL_MECHANISM",
  ...PASSWORD,
  ...TOKEN,
  "KAFKA_OAUTH_SCOPE",
  ...FILES,
  "KAFKA_SSL_VERIFY_HOSTNAME",
] as const satisfies readonly VariableName[];

/** Their values. */
export type SecurityValues = Values<(typeof SECURITY_NAMES)[number]>;

/** How we log in; undefined where the protocol has no SASL, or where {@link securityProblems} has something to say. */
export function loginOf(v: SecurityValues): Login | undefined {
  if (!v.KAFKA_SECURITY_PROTOCOL.startsWith("SASL")) return undefined;
  const mechanism = v.KAFKA_SASL_MECHANISM;
  if (mechanism !== "OAUTHBEARER") {
    const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = v;
    return username === undefined || password === undefined ? undefined : { mechanism, username, password };
  }
  const { KAFKA_OAUTH_TOKEN_URL: url, KAFKA_OAUTH_CLIENT_ID: clientId, KAFKA_OAUTH_CLIENT_SECRET: secret } =
    v;
  if (url === undefined || clientId === undefined || secret === undefined) return undefined;
  return {
    mechanism,
    oauth: { tokenUrl: new URL(url), clientId, clientSecret: secret, scope: v.KAFKA_OAUTH_SCOPE },
  };
}

/** Where certificates are; undefined where the protocol has no TLS. */
export function tlsFilesOf(v: Values<(typeof TLS)[number]>): TlsFiles | undefined {
  if (!v.KAFKA_SECURITY_PROTOCOL.endsWith("SSL")) return undefined;
  return {
    ca: v.KAFKA_SSL_CA,
    cert: v.KAFKA_SSL_CERT,
    key: v.KAFKA_SSL_KEY,
    passphrase: v.KAFKA_SSL_KEY_PASSPHRASE,
    verifyHostname: v.KAFKA_SSL_VERIFY_HOSTNAME,
  };
}

/**
 * Reads the files that certificates are in, so that what is wrong with them is told with everything else.
 *
 * @throws {ConfigError} with every problem at once.
 */
export function checkTlsFiles(env: Environment): void {
  const files = tlsFilesOf(readVariables(TLS, env));
  if (files !== undefined) readPem(files);
}

/**
 * What is missing, and what is set but would count for nothing: a password that no protocol uses is a start without it.
 * A value that cannot be read leaves what depends on it unsaid, and nothing else.
 */
export function securityProblems(v: Partial<SecurityValues>): readonly string[] {
  const { KAFKA_SECURITY_PROTOCOL: protocol, KAFKA_SASL_MECHANISM: mechanism } = v;
  if (protocol === undefined) return keyProblems(v);
  const [sasl, tls] = [protocol.startsWith("SASL"), protocol.endsWith("SSL")];
  // Most mechanisms want a password: with one that is misspelt it is asked for, unless a token is prepared.
  const tokens = mechanism === "OAUTHBEARER" ||
    (mechanism === undefined && TOKEN.some((name) => v[name] !== undefined));
  const needed = sasl ? (tokens ? TOKEN : PASSWORD) : [];
  const by = tokens ? "KAFKA_SASL_MECHANISM=OAUTHBEARER" : protocol;
  const useless = (names: readonly (keyof SecurityValues)[], why: string, instead: string) =>
    names.filter((name) => v[name] !== undefined)
      .map((name) => `${name} is set, but ${why} does not use it: ${instead} or leave it out`);
  return [
    ...needed.filter((name) => v[name] === undefined).map((name) => `${name} is not set, but ${by} needs it`),
    ...(sasl ? [] : useless(
      [...PASSWORD, ...TOKEN, "KAFKA_OAUTH_SCOPE"],
      `KAFKA_SECURITY_PROTOCOL=${protocol}`,
      `set ${tls ? "SASL_SSL" : "SASL_SSL or SASL_PLAINTEXT"}`,
    )),
    ...(tls ? [] : useless(FILES, `KAFKA_SECURITY_PROTOCOL=${protocol}`, `set ${sasl ? "SASL_SSL" : "SSL"}`)),
    ...(sasl && mechanism !== undefined && tokens ? useless(PASSWORD, by, "set another mechanism") : []),
    ...(sasl && mechanism !== undefined && !tokens
      ? useless(
        [...TOKEN, "KAFKA_OAUTH_SCOPE"],
        `KAFKA_SASL_MECHANISM=${mechanism}`,
        "set OAUTHBEARER",
      )
      : []),
    ...keyProblems(v),
  ];
}

function keyProblems(v: Partial<SecurityValues>): readonly string[] {
  const problems: string[] = [];
  if ((v.KAFKA_SSL_CERT === undefined) !== (v.KAFKA_SSL_KEY === undefined)) {
    problems.push("KAFKA_SSL_CERT and KAFKA_SSL_KEY go together: set both or none");
  }
  if (v.KAFKA_SSL_KEY_PASSPHRASE !== undefined && v.KAFKA_SSL_KEY === undefined) {
    problems.push("KAFKA_SSL_KEY_PASSPHRASE is set, but there is no KAFKA_SSL_KEY that it opens");
  }
  return problems;
}
