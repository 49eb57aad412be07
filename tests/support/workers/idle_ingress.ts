// An ingress that nobody has called yet, in front of a pool without causes, for tests that look at its own paths.

import { createIngress } from "../../../worker/ingress/app.ts";
import { parseIngressConfig } from "../../../worker/ingress/config.ts";

/** Its calls would go nowhere. */
export function idleIngress(env: Readonly<Record<string, string>>): ReturnType<typeof createIngress> {
  return createIngress({
    ...parseIngressConfig((name) => env[name]).rules,
    draining: () => false,
    pool: {
      permits: 8,
      inFlight: 0,
      replicas: [],
      providerRestUntilMs: 0,
      hasFree: () => false,
      causes: () => [],
      onChange: () => {},
      stream: () => Promise.reject(new Error("Nobody is called here")),
    },
  });
}
