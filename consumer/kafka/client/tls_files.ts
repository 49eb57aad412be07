// Certificates and keys from the files the environment names, looked at again before every connection.

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { logger } from "../../../shared/log.ts";
import { StartError } from "../../../shared/process/start_error.ts";

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
type Pem = Partial<Record<keyof typeof VARIABLES, string>>;

const VARIABLES = { ca: "KAFKA_SSL_CA", cert: "KAFKA_SSL_CERT", key: "KAFKA_SSL_KEY" } as const;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads them; undefined where brokers are reached without TLS. What changes on disk later counts from the next
 * connection on, once the files are whole and fit each other; until then the last ones that did.
 *
 * @throws {StartError} naming the variable whose file cannot be used.
 */
export function readTls(files: TlsFiles | undefined): TlsOptions | undefined {
  if (files === undefined) return undefined;
  const { passphrase, verifyHostname } = files;
  if (!verifyHostname) {
    log.warn("host names of brokers are not verified", { variable: "KAFKA_SSL_VERIFY_HOSTNAME" });
  }
  const options = verifyHostname ? {} : { checkServerIdentity: () => undefined };
  let [text, said] = [readFiles(files), ""];
  let pem = toPem(text, passphrase);
  return () => {
    try {
      const now = readFiles(files);
      if (sameText(now, text)) return { ...options, ...pem };
      pem = toPem(now, passphrase);
      text = now;
      said = "";
      log.info("certificates renewed", { ca: files.ca, cert: files.cert });
    } catch (error) {
      // A file that is being written is half there: the next connection looks again.
      if (!(error instanceof StartError)) throw error;
      if (said !== error.message) log.warn("the last certificates are kept", { why: error.message });
      said = error.message;
    }
    return { ...options, ...pem };
  };
}

function readFiles(files: TlsFiles): Pem {
  const names = ["ca", "cert", "key"] as const;
  return Object.fromEntries(names.flatMap((name) => {
    const path = files[name];
    return path === undefined ? [] : [[name, readFile(VARIABLES[name], path)]];
  }));
}

function readFile(variable: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new StartError(`${variable} names a file that cannot be read: ${path} (${(error as Error).name})`);
  }
}

function sameText(one: Pem, other: Pem): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}

/** @throws {StartError} where a connection would fail, or worse, go without our certificate. */
function toPem({ ca, cert, key }: Pem, passphrase: string | undefined): Pem {
  if (ca !== undefined) parseCertificates("KAFKA_SSL_CA", ca);
  const own = cert === undefined ? undefined : parseCertificates("KAFKA_SSL_CERT", cert)[0];
  const privateKey = key === undefined ? undefined : parseKey(key, passphrase);
  if (own !== undefined && privateKey !== undefined && !own.checkPrivateKey(privateKey)) {
    throw new StartError("KAFKA_SSL_KEY is not the key of the certificate in KAFKA_SSL_CERT");
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(privateKey === undefined
      ? {}
      : { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }),
  };
}

function parseCertificates(variable: string, text: string): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATES) ?? [];
  if (blocks.length === 0) throw new StartError(`${variable} names a file without a certificate in PEM`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new StartError(
      `${variable} names a file with a broken certificate (${(error as Error).message})`,
    );
  }
}

function parseKey(key: string, passphrase: string | undefined): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch (error) {
    const encrypted = key.includes("ENCRYPTED");
    throw new StartError(
      encrypted
        ? `KAFKA_SSL_KEY names a key that KAFKA_SSL_KEY_PASSPHRASE ${
          passphrase === undefined ? "is needed for" : "does not open"
        }`
        : `KAFKA_SSL_KEY names a file without a private key in PEM (${(error as Error).message})`,
    );
  }
}
