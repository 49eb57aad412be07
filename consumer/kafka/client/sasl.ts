// toSasl(): how we log in, and whether a failed login was a refusal or a lost connection.

import { monotonicMs } from "../../../shared/clock.ts";
import type { AuthenticationProviderArgs, Authenticator, Mechanism } from "kafkajs";
import oauthBearer from "kafkajs/src/broker/saslAuthenticator/oauthBearer.js";
import plain from "kafkajs/src/broker/saslAuthenticator/plain.js";
import scram256 from "kafkajs/src/broker/saslAuthenticator/scram256.js";
import scram512 from "kafkajs/src/broker/saslAuthenticator/scram512.js";
import type { TlsOptions } from "./tls_files.ts";
import { type OauthConfig, OauthTokens } from "./oauth_tokens.ts";

/** A user and a password. */
export interface PasswordLogin {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** Tokens that a server of ours gives out. */
export interface TokenLogin {
  readonly mechanism: "OAUTHBEARER";
  readonly oauth: OauthConfig;
}

/** How we log in. */
export type Login = PasswordLogin | TokenLogin;

type Provider = (args: AuthenticationProviderArgs) => Authenticator;
type ProviderOf = (sasl: unknown) => Provider;

/** What a broker says to a wrong password. */
const REFUSED = "SASL_AUTHENTICATION_FAILED";
/** kafkajs's own mechanisms. */
const PROVIDERS = {
  "PLAIN": plain,
  "SCRAM-SHA-256": scram256,
  "SCRAM-SHA-512": scram512,
  "OAUTHBEARER": oauthBearer,
} as Readonly<Record<Login["mechanism"], ProviderOf>>;

/**
 * kafkajs calls everything that goes wrong while it logs in a refusal that no retry can heal, also a broker that is
 * just stopping. Here only what the broker said is one; a lost connection stays a lost connection.
 *
 * @param tls whose certificate authority the token server may be of, too.
 */
export function toSasl(login: Login, tls?: TlsOptions): Mechanism {
  const provide = PROVIDERS[login.mechanism](
    login.mechanism === "OAUTHBEARER" ? tokensOf(login, tls) : login,
  );
  return {
    mechanism: login.mechanism.toLowerCase(),
    authenticationProvider: (args) => {
      let lost: Error | undefined;
      const saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"] = async (request) => {
        try {
          return await args.saslAuthenticate(request);
        } catch (error) {
          if ((error as { type?: string }).type !== REFUSED) lost = error as Error;
          throw error;
        }
      };
      const authenticator = provide({ ...args, saslAuthenticate });
      return {
        authenticate: async () => {
          try {
            await authenticator.authenticate();
          } catch (error) {
            throw lost ?? Object.assign(error as Error, { broker: `${args.host}:${args.port}` });
          }
        },
      };
    },
  };
}

function tokensOf({ oauth }: TokenLogin, tls: TlsOptions | undefined) {
  const tokens = new OauthTokens(oauth, monotonicMs, () => tls?.().ca?.toString());
  return { oauthBearerProvider: async () => ({ value: await tokens.current() }) };
}
