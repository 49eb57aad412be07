// The answer of `/readyz`, in the consumer, the worker and the ingress alike: causes, or none.

/** Why something is paused or not ready: what is wrong, since when, and what to do about it. */
export interface Cause {
  /** Stable and kebab-case, for alerts: `outage`, `misconfigured`, `database-unreachable`. */
  readonly name: string;
  /** When it began, in ms since the epoch. */
  readonly sinceMs: number;
  /** What is wrong, with the last status or error. Never holds ticket text or secrets. */
  readonly detail: string;
  /** What an operator does about it, or why nothing needs doing. */
  readonly remedy: string;
}

/** The body of `/readyz`. */
export interface Readiness {
  readonly status: "ready" | "not_ready";
  readonly causes: readonly (Omit<Cause, "sinceMs"> & { readonly since: string })[];
}

/** `/readyz`: 200 without causes, 503 with them. `more` is what `?verbose` adds. */
export function readinessResponse(
  causes: readonly Cause[],
  more: Readonly<Record<string, unknown>> = {},
): Response {
  const readiness: Readiness = {
    ...more,
    status: causes.length === 0 ? "ready" : "not_ready",
    causes: causes.map(({ sinceMs, ...cause }) => ({ ...cause, since: new Date(sinceMs).toISOString() })),
  };
  return Response.json(readiness, { status: causes.length === 0 ? 200 : 503 });
}
