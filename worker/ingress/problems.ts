// Problems that the ingress itself answers with; the workers' own go through unchanged.

import { type ProblemKind, problemResponder } from "../../shared/http/problem_kind.ts";
import { PROBLEMS } from "../http/problems.ts";

/** Goes with a problem where the rest of the request is not read. */
export const CLOSE = { connection: "close" } as const;

/** By slug: the last part of a problem's `type`. */
const INGRESS_PROBLEMS = {
  "unauthorized": PROBLEMS.unauthorized,
  "method-not-allowed": PROBLEMS["method-not-allowed"],
  "body-too-large": PROBLEMS["body-too-large"],
  "unsupported-media-type": PROBLEMS["unsupported-media-type"],
  "rate-limited": PROBLEMS["rate-limited"],
  "bad-request": {
    status: 400,
    title: "The request cannot be read",
    about: "HTTP/1.1 with one Host, one Content-Length and a path as its target is taken.",
  },
  "too-many-headers": {
    status: 431,
    title: "The headers are too many or too large",
    about: "At most 100 header fields and 16 KiB of them are taken.",
  },
  "too-many-calls": {
    status: 429,
    title: "Too many calls",
    about: "`INGRESS_RATE_PER_MINUTE` is the limit of one client. Call again after `Retry-After`.",
  },
  "pool-full": {
    status: 503,
    title: "All replicas are full",
    about: "The call waited for a free replica, or too many waited already. Call again after `Retry-After`.",
  },
  "no-replica": {
    status: 503,
    title: "No replica takes the call",
    about:
      "None runs, or none answers. The call itself asks for one; `INGRESS_WAKE_MS` is how long it waits.",
  },
  "worker-lost": {
    status: 502,
    title: "The worker went away",
    about:
      "The connection broke before an answer came. The work may be done or not; without an id nothing was written.",
  },
  "worker-timeout": {
    status: 504,
    title: "The worker took too long",
    about: "`WORKER_TIMEOUT_MS` is the limit.",
  },
  "body-too-slow": PROBLEMS["body-too-slow"],
  "stopping": {
    status: 503,
    title: "The ingress is stopping",
    about: "It finishes what it has and takes nothing new. Call again: another one answers.",
  },
  "internal-error": {
    status: 500,
    title: "The ingress failed",
    about: "A bug. The ingress's log says more.",
  },
} as const satisfies Record<string, ProblemKind>;

/** A key of {@link INGRESS_PROBLEMS}. */
export type IngressProblem = keyof typeof INGRESS_PROBLEMS;

/** A problem as a response. `detail` never holds ticket text or secrets. */
export const ingressProblem = problemResponder<IngressProblem>(INGRESS_PROBLEMS);

/** The page a problem's `type` leads to, a worker's too: there need not be a worker to ask. */
export function problemPage(slug: string): Response | undefined {
  const kinds: Readonly<Record<string, ProblemKind>> = { ...PROBLEMS, ...INGRESS_PROBLEMS };
  const kind = Object.hasOwn(kinds, slug) ? kinds[slug] : undefined;
  return kind && Response.json({ type: `/problems/${slug}`, ...kind });
}
