// What zod found wrong with a request, as a problem that names each field and repeats no value.

import type { z } from "zod";
import { problem } from "./problems.ts";

const ERRORS_MAX = 20;

/** 422 with one entry a field. */
export function invalid(error: z.ZodError): Response {
  const errors = error.issues.slice(0, ERRORS_MAX).map(({ path, message }) => ({
    pointer: `#/${path.map(String).join("/")}`,
    detail: message,
  }));
  return problem("invalid-request", "The JSON does not have the shape it should have", {}, { errors });
}
