// What a call has to pass before it takes a permit or wakes anything: the rate limit, the bearer token, the length.

import { CHALLENGE, tokenCheck, unauthorizedDetail } from "../../shared/http/bearer_token.ts";
import { clientOf } from "./client_id.ts";
import type { IngressRules } from "./config.ts";
import { ingressProblem } from "./problems.ts";
import { Quota } from "./client_rate_limit.ts";

/** A call at the door. */
export interface Knock {
  readonly headers: Headers;
  /** The address at the other end of the connection. */
  readonly peer: string | undefined;
  /** By `performance.now()`. */
  readonly nowMs: number;
}

/** Who knocks, what every answer tells them, and why they do not get in. */
export interface Admission {
  readonly client: string;
  /** Header fields for the answer. */
  readonly more: Readonly<Record<string, string>>;
  readonly refusal: Response | undefined;
}

/** Checks calls. A wrong token counts against the address it came from, so that nobody can try many. */
export function doorway(
  { tokens, ratePerMinute, proxies, maxBodyBytes }: IngressRules,
): (knock: Knock) => Admission {
  const authorized = tokenCheck(tokens);
  const quota = ratePerMinute === 0 ? undefined : new Quota(ratePerMinute);
  return ({ headers, peer, nowMs }) => {
    const authorization = headers.get("authorization") ?? undefined;
    const allowed = authorized(authorization);
    const proven = tokens.length > 0 && allowed ? authorization : undefined;
    const forwardedFor = headers.get("x-forwarded-for") ?? undefined;
    const client = clientOf({ proven, peer, forwardedFor }, proxies);
    const counted = quota?.take(client, nowMs);
    const more = quota === undefined || counted === undefined ? {} : quota.headers(counted);
    const refusal = () => {
      if (counted?.allowed === false) return tooMany(ratePerMinute, counted.retryAfterSeconds, more);
      if (!allowed) {
        return ingressProblem("unauthorized", unauthorizedDetail(authorization), { ...more, ...CHALLENGE });
      }
      if (Number(headers.get("content-length") ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes, more);
      return undefined;
    };
    return { client, more, refusal: refusal() };
  };
}

/** 413, for bodies that say how long they are and for those that turn out to be. */
export function tooLarge(maxBodyBytes: number, more: Readonly<Record<string, string>>): Response {
  return ingressProblem("body-too-large", `At most ${maxBodyBytes} bytes are taken`, {
    ...more,
    connection: "close",
  });
}

function tooMany(
  perMinute: number,
  retryAfterSeconds: number,
  more: Readonly<Record<string, string>>,
): Response {
  const detail = `One client may call ${perMinute} times a minute`;
  return ingressProblem("too-many-calls", detail, { ...more, "retry-after": String(retryAfterSeconds) }, {
    "violated-policies": ["client"],
  });
}
