// OauthTokens gets tokens for SASL OAUTHBEARER by the client credentials grant (RFC 6749 section 4.4).

import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  ClientSecretBasic,
  customFetch,
  processClientCredentialsResponse,
  ResponseBodyError,
} from "oauth4webapi";
import { logger } from "../../../shared/log.ts";

const log = logger("kafka");

/** Where tokens come from. */
export interface OauthConfig {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
}

/** The token server said no: other tries will not change that. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  /** Read by kafkajs. */
  readonly retriable = false;
}

/** The token server did not answer, or not as one does. */
export class TokenServerAway extends Error {
  override readonly name = "TokenServerAway";
  /** Read by kafkajs. */
  readonly retriable = true;
}

interface Token {
  readonly value: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** Time limit of one question, in ms. */
const TIMEOUT_MS = 10_000;
/** A token is renewed this long before it ends, in ms; kafkajs logs in again 10 s before the end. */
const AHEAD_MS = 30_000;

/** One token at a time, used until most of its life is over. */
export class OauthTokens {
  readonly #config: OauthConfig;
  readonly #nowMs: () => number;
  readonly #ca: () => string | undefined;
  #token: Token | undefined;
  #asking: Promise<Token> | undefined;

  /**
   * @param nowMs the time in ms.
   * @param ca a certificate authority, as PEM text, that is trusted besides those of the system; asked each time.
   */
  constructor(config: OauthConfig, nowMs: () => number, ca: () => string | undefined = () => undefined) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#ca = ca;
  }

  /**
   * A token that is good for a while yet.
   *
   * @throws {TokenRefused} when the server refuses us.
   * @throws {TokenServerAway} when it cannot be reached.
   */
  async current(): Promise<string> {
    const token = this.#token;
    if (token !== undefined && this.#nowMs() < token.renewAtMs) return token.value;
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    try {
      this.#token = await this.#asking;
    } catch (error) {
      if (token === undefined || this.#nowMs() >= token.expiresAtMs) throw error;
      log.warn("the token could not be renewed and is used on", { error: (error as Error).message });
      return token.value;
    }
    return this.#token.value;
  }

  async #ask(): Promise<Token> {
    const { tokenUrl, clientId, clientSecret, scope } = this.#config;
    const server = { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href };
    const client = { client_id: clientId };
    const askedMs = this.#nowMs();
    let status: number | undefined;
    const ca = this.#ca();
    using http = Deno.createHttpClient(ca === undefined ? {} : { caCerts: [ca] });
    try {
      const response = await clientCredentialsGrantRequest(
        server,
        client,
        ClientSecretBasic(clientSecret),
        scope === undefined ? {} : { scope },
        {
          signal: AbortSignal.timeout(TIMEOUT_MS),
          [allowInsecureRequests]: tokenUrl.protocol === "http:",
          [customFetch]: (url, options) => fetch(url, { ...options, client: http } as RequestInit),
        },
      );
      status = response.status;
      const { access_token, expires_in } = await processClientCredentialsResponse(server, client, response);
      return { value: access_token, ...lifeOf(askedMs, expires_in ?? 0) };
    } catch (error) {
      throw toTokenError(tokenUrl, status, error as Error);
    }
  }
}

/**
 * Used again until four fifths of its life are over, or earlier where that leaves too little time: a session ends with
 * its token, and brokers refuse whoever logs in again within a second.
 */
function lifeOf(askedMs: number, expiresInSeconds: number): Omit<Token, "value"> {
  const lifeMs = expiresInSeconds * 1000;
  const useMs = Math.max(0, Math.min(lifeMs * 0.8, lifeMs - AHEAD_MS));
  return { renewAtMs: askedMs + useMs, expiresAtMs: askedMs + lifeMs };
}

function toTokenError({ origin, pathname }: URL, status: number | undefined, error: Error): Error {
  const said = error instanceof ResponseBodyError
    ? [error.error, error.error_description].filter((part) => part).join(": ")
    : error.message;
  const what = `${origin}${pathname} gave us no token${
    status === undefined ? "" : ` but ${status}`
  }: ${said}`;
  // As with workers: 408 and 429 only mean later.
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return refused ? new TokenRefused(what) : new TokenServerAway(what);
}
