// A certificate authority of a test's own, by openssl: certificates for brokers and clients, in a folder.

import { TemporaryFolder } from "../temporary_folder.ts";

/** Paths of a certificate and its key, and of both in one file as brokers take them. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly both: string;
}

/** What a certificate says. */
export interface Subject {
  /** Its common name. */
  readonly name: string;
  /** Such as `IP:127.0.0.1`. */
  readonly host?: string;
  /** Validity; negative: it has expired. 20 by default. */
  readonly days?: number;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** `await using` removes its folder. */
export class Authority implements AsyncDisposable {
  private constructor(private readonly folder: TemporaryFolder) {}

  static async make(): Promise<Authority> {
    const authority = new Authority(await TemporaryFolder.make("ackpool-ca-"));
    const out = ["-keyout", authority.#path("ca.key"), "-out", authority.ca, "-days", "20"];
    await openssl("req", "-x509", ...KEY, ...out, "-subj", "/CN=Test CA");
    return authority;
  }

  /** The authority's own certificate. */
  get ca(): string {
    return this.#path("ca.pem");
  }

  async issue({ name, host = "DNS:nowhere.invalid", days = 20 }: Subject): Promise<Issued> {
    const [cert, key, both] = [`${name}.pem`, `${name}.key`, `${name}.both.pem`].map((each) =>
      this.#path(each)
    ) as [
      string,
      string,
      string,
    ];
    const [request, extensions] = [this.#path(`${name}.csr`), this.#path(`${name}.ext`)];
    await openssl("req", ...KEY, "-keyout", key, "-out", request, "-subj", `/CN=${name}`);
    await Deno.writeTextFile(extensions, `subjectAltName=${host}\n`);
    const signed = ["-CA", this.ca, "-CAkey", this.#path("ca.key"), "-CAcreateserial", "-days", String(days)];
    await openssl("x509", "-req", "-in", request, "-out", cert, ...signed, "-extfile", extensions);
    await Deno.writeTextFile(both, await Deno.readTextFile(key) + await Deno.readTextFile(cert));
    return { cert, key, both };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }

  #path(name: string): string {
    return `${this.folder.path}/${name}`;
  }
}

async function openssl(...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args: [...args], stdin: "null" }).output();
  if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
}
