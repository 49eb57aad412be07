// What the doctor looks at behind WORKER_URL: the replicas that its names stand for, and what each says of itself.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import type { Readiness } from "../../shared/http/health.ts";
import { resolverFrom } from "../../shared/pool/discovery/dns.ts";
import { type Endpoint, resolveEndpoints } from "../../shared/pool/discovery/endpoints.ts";
import { type Finding, Findings } from "./finding.ts";

const ANSWER_LIMIT_MS = 5_000;
/** So many replicas are asked. */
const ASKED_MAX = 20;

/** Asks every replica for its `/readyz`. */
export async function checkWorkers(env: Environment): Promise<readonly Finding[]> {
  const findings = new Findings();
  if (!env("WORKER_URL")?.trim()) {
    findings.embedded("workers", "WORKER_URL is not set: start runs workers of its own");
    return findings.all;
  }
  const { WORKER_URL: urls, WORKER_DNS_SERVER: server } = readVariables(
    ["WORKER_URL", "WORKER_DNS_SERVER"],
    env,
  );
  const endpoints = await resolveEndpoints(
    urls,
    [],
    resolverFrom(server),
    (name, error) =>
      findings.fail(
        "workers",
        `${name} cannot be looked up: ${(error as Error).message}`,
        "Check WORKER_URL and DNS",
      ),
  );
  if (endpoints.length === 0 && findings.all.length === 0) {
    findings.warn("workers", "WORKER_URL's names have no address now", "Start a worker: deno task worker");
  }
  await Promise.all(endpoints.slice(0, ASKED_MAX).map((endpoint) => lookAt(findings, endpoint)));
  if (endpoints.length > ASKED_MAX) {
    findings.ok("workers", `and ${endpoints.length - ASKED_MAX} that were not asked`);
  }
  return findings.all;
}

async function lookAt(findings: Findings, { address, url }: Endpoint): Promise<void> {
  try {
    const response = await fetch(`${address}/readyz`, {
      headers: { host: url.host },
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    const body: Partial<Readiness> = await response.json().catch(() => ({}));
    if (response.ok) findings.ok("workers", `${address} is ready`);
    for (const { name, detail, remedy } of body.causes ?? []) {
      findings.fail("workers", `${address}: ${name}: ${detail}`, remedy);
    }
    if (!response.ok && (body.causes ?? []).length === 0) {
      findings.fail(
        "workers",
        `${address}/readyz answers ${response.status}`,
        "Is it a worker? Check WORKER_URL",
      );
    }
  } catch (error) {
    findings.fail(
      "workers",
      `${address} does not answer: ${(error as Error).message}`,
      "Start it: deno task worker",
    );
  }
}
