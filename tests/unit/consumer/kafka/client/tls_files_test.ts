import assert from "node:assert/strict";
import { readTls, type TlsFiles } from "../../../../../consumer/kafka/client/tls_files.ts";
import { checkTlsFiles } from "../../../../../consumer/kafka/client/security_config.ts";
import { ConfigError } from "../../../../../shared/config/read.ts";
import { FIRST, FIRST_ENCRYPTED_KEY, SECOND } from "../../../../support/kafka/certificates.ts";
import { TemporaryFolder } from "../../../../support/temporary_folder.ts";

type Texts = Partial<Record<"ca" | "cert" | "key", string>>;

/** A folder with these files, and the options that name them. */
async function folderWith(texts: Texts, passphrase?: string) {
  const folder = await TemporaryFolder.make("ackpool-tls-");
  const path = (name: string) => `${folder.path}/${name}.pem`;
  const write = (texts: Texts) =>
    Object.entries(texts).forEach(([name, text]) => Deno.writeTextFileSync(path(name), text));
  const named = (name: keyof Texts) => texts[name] === undefined ? undefined : path(name);
  write(texts);
  const files: TlsFiles = {
    ca: named("ca"),
    cert: named("cert"),
    key: named("key"),
    passphrase,
    verifyHostname: true,
  };
  return { files, write, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

Deno.test("readTls() is nothing without TLS, and system certificates where no file is named", () => {
  assert.equal(readTls(undefined), undefined);
  const none = { ca: undefined, cert: undefined, key: undefined, passphrase: undefined };
  assert.deepEqual(readTls({ ...none, verifyHostname: true })?.(), {});
});

Deno.test("readTls() switches nothing off but the host name's check where that is asked for", () => {
  const none = { ca: undefined, cert: undefined, key: undefined, passphrase: undefined };
  const { checkServerIdentity, ...rest } = readTls({ ...none, verifyHostname: false })?.() ?? {};
  assert.equal(checkServerIdentity?.("any", {} as never), undefined);
  assert.deepEqual(rest, {});
});

Deno.test("readTls() takes files that change from the next connection on", async () => {
  await using folder = await folderWith({ ca: FIRST.cert, ...FIRST });
  const options = readTls(folder.files);
  assert.equal(options?.().cert, FIRST.cert);
  folder.write({ ca: SECOND.cert, ...SECOND });
  const { ca, cert, key } = options?.() ?? {};
  assert.deepEqual({ ca, cert }, { ca: SECOND.cert, cert: SECOND.cert });
  assert.equal(String(key).trim(), SECOND.key.trim());
});

Deno.test("readTls() keeps the last good files while new ones are half written, gone or do not fit", async () => {
  await using folder = await folderWith({ ca: FIRST.cert, ...FIRST });
  const options = readTls(folder.files);
  const isFirst = () => assert.equal(options?.().cert, FIRST.cert);
  folder.write({ cert: SECOND.cert });
  isFirst();
  folder.write({ cert: SECOND.cert.slice(0, 100) });
  isFirst();
  folder.write({ ...FIRST, ca: "" });
  isFirst();
  Deno.removeSync(folder.files.key ?? "");
  isFirst();
  folder.write({ ca: SECOND.cert, ...SECOND });
  assert.equal(options?.().cert, SECOND.cert);
});

Deno.test("readTls() opens an encrypted key, so that no connection goes without our certificate", async () => {
  await using folder = await folderWith({ cert: FIRST.cert, key: FIRST_ENCRYPTED_KEY }, "opens");
  assert.equal(String(readTls(folder.files)?.().key).trim(), FIRST.key.trim());
});

const BAD: readonly (readonly [Texts, string | undefined, RegExp])[] = [
  [{ ca: "no certificate" }, undefined, /^KAFKA_SSL_CA names a file without a certificate in PEM$/],
  [{ ca: FIRST.cert.replace(/[a-z]/g, "A") }, undefined, /^KAFKA_SSL_CA .*broken certificate/],
  [{ cert: FIRST.cert, key: SECOND.key }, undefined, /^KAFKA_SSL_KEY is not the key of the certificate/],
  [{ cert: FIRST.cert, key: FIRST.cert }, undefined, /^KAFKA_SSL_KEY names a file without a private key/],
  [{ cert: FIRST.cert, key: FIRST_ENCRYPTED_KEY }, undefined, /KAFKA_SSL_KEY_PASSPHRASE is needed/],
  [{ cert: FIRST.cert, key: FIRST_ENCRYPTED_KEY }, "no", /KAFKA_SSL_KEY_PASSPHRASE does not open/],
];

for (const [texts, passphrase, line] of BAD) {
  Deno.test(`readTls() refuses to start: ${line.source}`, async () => {
    await using folder = await folderWith(texts, passphrase);
    assert.throws(() => readTls(folder.files), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, line);
      return true;
    });
  });
}

Deno.test("readTls() names the variable of a file that is not there", () => {
  const files = { ca: "/nowhere/ca.pem", cert: undefined, key: undefined, passphrase: undefined };
  assert.throws(() => readTls({ ...files, verifyHostname: true }), /^ConfigError: KAFKA_SSL_CA .*nowhere/);
});

Deno.test("readTls() names every file that is missing or broken at once", async () => {
  const nowhere = { ca: "/nowhere/ca.pem", cert: "/nowhere/cert.pem", key: "/nowhere/key.pem" };
  const problemsOf = (files: Partial<TlsFiles>) => {
    try {
      readTls({ ...nowhere, passphrase: undefined, verifyHostname: true, ...files });
    } catch (error) {
      return (error as ConfigError).problems.map((problem) => problem.split(" ").slice(0, 7).join(" "));
    }
  };
  assert.deepEqual(
    problemsOf({}),
    ["CA", "CERT", "KEY"].map((what) => `KAFKA_SSL_${what} names a file that cannot be`),
  );
  await using folder = await folderWith({ ca: "no certificate" });
  assert.deepEqual(problemsOf({ ca: folder.files.ca }), [
    "KAFKA_SSL_CA names a file without a certificate",
    "KAFKA_SSL_CERT names a file that cannot be",
    "KAFKA_SSL_KEY names a file that cannot be",
  ]);
});

Deno.test("checkTlsFiles() looks at the files the environment names, where brokers are reached with TLS", () => {
  const env: Record<string, string> = { KAFKA_SECURITY_PROTOCOL: "SSL", KAFKA_SSL_CA: "/nowhere/ca.pem" };
  assert.throws(() => checkTlsFiles((name) => env[name]), /^ConfigError: KAFKA_SSL_CA names a file/);
  checkTlsFiles((name) => name === "KAFKA_SSL_CA" ? env[name] : undefined);
});
