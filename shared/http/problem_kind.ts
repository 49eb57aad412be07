// The kinds of problems a service answers with, by slug: status, title, and what the page under /problems says.

import { problemResponse } from "./problem.ts";

/** One kind, and what its page says. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly about: string;
}

/** Makes a problem a response. `detail` never holds ticket text or secrets. */
export type ProblemResponder<Slug extends string> = (
  slug: Slug,
  detail: string,
  headers?: Readonly<Record<string, string>>,
  extensions?: Readonly<Record<string, unknown>>,
) => Response;

/** Answers with the kinds of one service; a slug is the last part of a problem's `type`. */
export function problemResponder<Slug extends string>(
  kinds: Readonly<Record<Slug, ProblemKind>>,
): ProblemResponder<Slug> {
  return (slug, detail, headers = {}, extensions = {}) => {
    const { status, title } = kinds[slug];
    return problemResponse({ type: `/problems/${slug}`, title, status, detail, ...extensions }, {
      ...headers,
    });
  };
}
