// Requests of an operator: bodies that no page of another origin can send, and refusals that say why.

import type { Context } from "hono";
import type { z } from "zod";
import { problemResponse } from "../../shared/http/problem.ts";

/** A status and a problem's name. */
export interface Refused {
  readonly status: number;
  readonly slug: string;
}

/** A request that is refused, and why. */
export class Refusal extends Error implements Refused {
  override readonly name = "Refusal";
  constructor(readonly status: number, readonly slug: string, message: string) {
    super(message);
  }
}

/** The problem to answer with; what nobody refused is a bug. */
export function problemOf(error: Error): Response {
  const { status, slug } = error instanceof Refusal ? error : { status: 500, slug: "internal" };
  return problemResponse({ type: `/problems/${slug}`, title: slug, status, detail: error.message });
}

/**
 * The body. Pages of other origins cannot send this type without being asked, so they cannot replay in a person's name.
 *
 * @throws {Refusal}
 */
export async function json(c: Context): Promise<unknown> {
  if (!/^application\/json\b/.test(c.req.header("content-type") ?? "")) {
    throw new Refusal(415, "unsupported-media-type", "The body has to be application/json");
  }
  try {
    return await c.req.json();
  } catch {
    throw new Refusal(400, "not-json", "The body is not JSON");
  }
}

/**
 * What a schema makes of it.
 *
 * @throws {Refusal} naming every field that is wrong.
 */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new Refusal(422, "invalid-request", problems.join("; "));
}
