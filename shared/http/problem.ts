// Problem details for HTTP APIs (RFC 9457): the one body every error of ours has.

/** The media type of a problem: RFC 9457 section 3. */
export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** A problem as it goes over the wire. */
export interface Problem {
  /** A URI reference that names the kind of problem: `/problems/<slug>` on the service itself. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What went wrong this time and what to do about it. Never holds ticket text or secrets. */
  readonly detail?: string;
  /** Named causes, invalid fields and the like. */
  readonly [extension: string]: unknown;
}

/** A problem as an HTTP response. */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, "content-type": PROBLEM_CONTENT_TYPE },
  });
}
