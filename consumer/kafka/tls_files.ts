// Certificates and keys, from the files the environment names.

import { StartError } from "../../shared/process.ts";
import type { KafkaClientConfig } from "./client.ts";

/** Files that certificates and keys are in. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
}

const VARIABLES = { ca: "KAFKA_SSL_CA", cert: "KAFKA_SSL_CERT", key: "KAFKA_SSL_KEY" } as const;

/**
 * Reads them; undefined where brokers are reached without TLS.
 *
 * @throws {StartError} naming the variable whose file cannot be read.
 */
export async function readTls(files: TlsFiles | undefined): Promise<KafkaClientConfig["tls"]> {
  if (files === undefined) return undefined;
  const read = async (name: keyof typeof VARIABLES) => {
    const path = files[name];
    return path === undefined ? {} : { [name]: await readFile(VARIABLES[name], path) };
  };
  const passphrase = files.passphrase === undefined ? {} : { passphrase: files.passphrase };
  return { ...await read("ca"), ...await read("cert"), ...await read("key"), ...passphrase };
}

async function readFile(variable: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new StartError(`${variable} names a file that cannot be read: ${path} (${(error as Error).name})`);
  }
}
