// What `docker compose config` says about the services, as far as a run without an engine looks at it.

import { dockerCompose, run } from "../../support/images/deploy_tools.ts";

/** When a service may start after another. */
export type Condition = "service_started" | "service_healthy" | "service_completed_successfully";

/** A service as compose has understood it. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly user?: string;
  readonly entrypoint: readonly string[] | null;
  readonly command: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  /** Like `45s`. */
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
}

/** All services by name, those of profiles too, on a machine where no variable is set. */
export async function composeServices(): Promise<Readonly<Record<string, Service>>> {
  const { PATH = "", HOME = "" } = Deno.env.toObject();
  const command = [...await dockerCompose(), "--profile", "*", "config", "--format", "json"];
  const { code, stdout, output } = await run(command, { clearEnv: true, env: { PATH, HOME } });
  if (code !== 0) throw new Error(`docker compose config failed with ${code}:\n${output}`);
  return JSON.parse(stdout).services;
}

/** A duration of Go's kind, as compose prints it, in ms: `45s`, `1m30s`. */
export function durationMs(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? NaN), 0);
}
