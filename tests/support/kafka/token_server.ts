// A token server: gives out signed tokens (RFC 7519) to one client, and the key that brokers check them with.

import type { Issued } from "./authority.ts";

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const KEY_ID = "test";

const encode = (bytes: Uint8Array<ArrayBuffer>) =>
  bytes.toBase64({ alphabet: "base64url", omitPadding: true });
const encodeJson = (value: unknown) => encode(new TextEncoder().encode(JSON.stringify(value)));

/** `await using` ends it. */
export class TokenServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Says no to everybody while false. */
  open = true;
  /** Tokens given out so far. */
  given = 0;

  private constructor(
    private readonly keys: CryptoKeyPair,
    readonly clientId: string,
    readonly clientSecret: string,
    private readonly lifeSeconds: number,
    certificate: Readonly<Record<"cert" | "key", string>>,
  ) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...certificate },
      (request) => this.#answer(request),
    );
  }

  /** Its tokens are of the subject `clientId` and good for so long. */
  static async start(clientId: string, lifeSeconds: number, { cert, key }: Issued): Promise<TokenServer> {
    const size = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
    const keys = await crypto.subtle.generateKey({ ...ALGORITHM, ...size }, true, ["sign", "verify"]);
    const certificate = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    return new TokenServer(keys, clientId, "s3cret", lifeSeconds, certificate);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#server.addr.port}/token`;
  }

  /** The public key as brokers read it (RFC 7517). */
  async keySet(): Promise<string> {
    const { kty, n, e } = await crypto.subtle.exportKey("jwk", this.keys.publicKey);
    return JSON.stringify({ keys: [{ kty, n, e, kid: KEY_ID, alg: "RS256", use: "sig" }] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const known = `Basic ${btoa(`${this.clientId}:${this.clientSecret}`)}`;
    if (!this.open || request.headers.get("authorization") !== known) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    this.given += 1;
    const token = { access_token: await this.#token(), token_type: "Bearer", expires_in: this.lifeSeconds };
    return Response.json(token);
  }

  async #token(): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: this.clientId, iat: now, exp: now + this.lifeSeconds, jti: crypto.randomUUID() };
    const signed = `${encodeJson({ alg: "RS256", kid: KEY_ID, typ: "JWT" })}.${encodeJson(claims)}`;
    const bytes = new TextEncoder().encode(signed);
    const signature = await crypto.subtle.sign(ALGORITHM, this.keys.privateKey, bytes);
    return `${signed}.${encode(new Uint8Array(signature))}`;
  }
}
