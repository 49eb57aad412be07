// TLS files: certificates and keys, read again when their files change.

import { whyUnreadable } from "../../../shared/config/file_folders.ts";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { collectProblems, ConfigError } from "../../../shared/config/read.ts";
import { logger } from "../../../shared/log.ts";

const log = logger("kafka");

/** Files that certificates and keys are in. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
  /** False: a broker may show the certificate of any host, as long as our CA signed it. */
  readonly verifyHostname: boolean;
}

/** What the next connection begins with. */
export type TlsOptions = () => ConnectionOptions;

/** PEM text by what it is; a key that was encrypted is so no more. */
type Pem = Partial<Readonly<Record<"ca" | "cert" | "key", string>>>;

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads them; undefined where brokers are reached without TLS. What changes on disk later counts from the next
 * connection on, once the files are whole and fit each other; until then the last ones that did.
 *
 * @throws {ConfigError} naming the variable of every file that cannot be used.
 */
export function readTls(files: TlsFiles | undefined): TlsOptions | undefined {
  if (files === undefined) return undefined;
  if (!files.verifyHostname) {
    log.warn("host names of brokers are not verified", { variable: "KAFKA_SSL_VERIFY_HOSTNAME" });
  }
  const options = files.verifyHostname ? {} : { checkServerIdentity: () => undefined };
  let [pem, logged] = [readPem(files), ""];
  return () => {
    try {
      const now = readPem(files);
      if (!isSame(now, pem)) log.info("certificates renewed", { ca: files.ca, cert: files.cert });
      [pem, logged] = [now, ""];
    } catch (error) {
      // A file that is being written is half there: the next connection looks again.
      if (!(error instanceof ConfigError)) throw error;
      if (logged !== error.message) log.warn("the last certificates are kept", { why: error.message });
      logged = error.message;
    }
    return { ...options, ...pem };
  };
}

/** Reads and checks all of them. @throws {ConfigError} where a connection would fail, or worse, go without our certificate. */
export function readPem({ ca, cert, key, passphrase }: TlsFiles): Pem {
  const [caText, own, privateKey] = collectProblems(
    () => ca === undefined ? undefined : readCertificates("KAFKA_SSL_CA", ca).text,
    () => cert === undefined ? undefined : readCertificates("KAFKA_SSL_CERT", cert),
    () => key === undefined ? undefined : parseKey(readFile("KAFKA_SSL_KEY", key), passphrase),
  );
  if (own !== undefined && privateKey !== undefined && !own.first.checkPrivateKey(privateKey)) {
    throw problem("KAFKA_SSL_KEY is not the key of the certificate in KAFKA_SSL_CERT");
  }
  return {
    ...(caText === undefined ? {} : { ca: caText }),
    ...(own === undefined ? {} : { cert: own.text }),
    ...(privateKey === undefined
      ? {}
      : { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }),
  };
}

function isSame(one: Pem, other: Pem): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}

const problem = (text: string) => new ConfigError([text]);

function readFile(variable: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw problem(`${variable} names a file that cannot be read: ${path} (${whyUnreadable(error)})`);
  }
}

function readCertificates(
  variable: string,
  path: string,
): { readonly text: string; readonly first: X509Certificate } {
  const text = readFile(variable, path);
  try {
    const [first] = (text.match(CERTIFICATES) ?? []).map((block) => new X509Certificate(block));
    if (first !== undefined) return { text, first };
  } catch (error) {
    throw problem(`${variable} names a file with a broken certificate (${(error as Error).message})`);
  }
  throw problem(`${variable} names a file without a certificate in PEM`);
}

function parseKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch (error) {
    if (!key.includes("ENCRYPTED")) {
      throw problem(`KAFKA_SSL_KEY names a file without a private key in PEM (${(error as Error).message})`);
    }
    const why = passphrase === undefined ? "is needed for" : "does not open";
    throw problem(`KAFKA_SSL_KEY names a key that KAFKA_SSL_KEY_PASSPHRASE ${why}`);
  }
}
