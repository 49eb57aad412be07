// Admission of a call, before it takes a permit or starts a replica: rate limit, bearer token, length.

import { CHALLENGE, grantOf, unauthorizedDetail } from "../../../shared/http/bearer_token.ts";
import { monotonicMs } from "../../../shared/clock.ts";
import { tokenOfSession, WORKER_SESSION_COOKIE } from "../../../shared/http/session_cookie.ts";
import { parse } from "hono/utils/cookie";
import { isNdjson } from "../../../shared/contract/batch_lines.ts";
import { clientOf } from "./client_id.ts";
import type { IngressRules } from "../config.ts";
import { ingressProblem } from "../problems.ts";
import { ClientRateLimit } from "./client_rate_limit.ts";

/** What admission looks at. */
export interface IncomingCall {
  readonly headers: Headers;
  readonly path: string;
  /** The address at the other end of the connection. */
  readonly peer: string | undefined;
  /** By `performance.now()`. */
  readonly nowMs: number;
}

/** Whose call it is, the header fields of its answer, and why it is refused. */
export interface Admission {
  readonly client: string;
  /** Header fields for the answer. */
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly refusal: Response | undefined;
}

/** Checks calls. A wrong token counts against the address it came from, so that nobody can try many. */
export function admissionCheck(
  { tokens, ratePerMinute, proxies, maxBodyBytes }: IngressRules,
): (call: IncomingCall) => Admission {
  const grants = grantOf(tokens);
  const readers = tokens.filter(({ scopes }) => scopes.includes("read")).map(({ token }) => token);
  const rateLimit = ratePerMinute === 0 ? undefined : new ClientRateLimit(ratePerMinute);
  return ({ headers, path, peer, nowMs }) => {
    const authorization = headers.get("authorization") ?? bearerOfSession(headers, readers);
    const grant = grants(authorization);
    const forwardedFor = headers.get("x-forwarded-for") ?? undefined;
    const client = clientOf({ bearer: grant?.bearer, peer, forwardedFor }, proxies);
    const counted = rateLimit?.take(client, nowMs);
    const extraHeaders = rateLimit === undefined || counted === undefined ? {} : rateLimit.headers(counted);
    const refusal = () => {
      if (counted?.allowed === false) return tooMany(ratePerMinute, counted.retryAfterSeconds, extraHeaders);
      if (grant === undefined && !isForPeople(path, headers)) {
        return ingressProblem("unauthorized", unauthorizedDetail(authorization), {
          ...extraHeaders,
          ...CHALLENGE,
        });
      }
      if (isNdjson(headers.get("content-type") ?? "")) return streamed(extraHeaders);
      if (Number(headers.get("content-length") ?? 0) > maxBodyBytes) {
        return tooLarge(maxBodyBytes, extraHeaders);
      }
      return undefined;
    };
    return { client, extraHeaders, refusal: refusal() };
  };
}

/** The header that a browser's login stands for; the worker looks at it again, and at the page that sends it. */
function bearerOfSession(headers: Headers, tokens: readonly string[]): string | null {
  const session = parse(headers.get("cookie") ?? "", WORKER_SESSION_COOKIE)[WORKER_SESSION_COOKIE];
  const token = tokenOfSession(session, tokens, monotonicMs());
  return token === undefined ? null : `Bearer ${token}`;
}

/** What a browser needs before somebody has logged in: the worker sends it from the review to the login. */
function isForPeople(path: string, headers: Headers): boolean {
  return path === "/login" || path === "/logout" || path.startsWith("/page/assets/") ||
    (path === "/review" && (headers.get("accept") ?? "").includes("text/html"));
}

/** The lines of a streamed batch say what only the consumer may say of a record, so they do not go through. */
function streamed(extraHeaders: Readonly<Record<string, string>>): Response {
  return ingressProblem("unsupported-media-type", "Streamed batches are for deliveries; JSON is taken", {
    ...extraHeaders,
    connection: "close",
  });
}

/** 413, for bodies that say how long they are and for those that turn out to be. */
export function tooLarge(maxBodyBytes: number, extraHeaders: Readonly<Record<string, string>>): Response {
  return ingressProblem("body-too-large", `At most ${maxBodyBytes} bytes are taken`, {
    ...extraHeaders,
    connection: "close",
  });
}

function tooMany(
  perMinute: number,
  retryAfterSeconds: number,
  extraHeaders: Readonly<Record<string, string>>,
): Response {
  const detail = `One client may call ${perMinute} times a minute`;
  return ingressProblem("too-many-calls", detail, {
    ...extraHeaders,
    "retry-after": String(retryAfterSeconds),
  }, {
    "violated-policies": ["client"],
  });
}
