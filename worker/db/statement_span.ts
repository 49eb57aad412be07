// Description of a statement's span: what it does in a word, and for how many; never its parameters.

import type { PostgresTarget } from "../../shared/postgres/connection_string.ts";
import { Attribute } from "../../shared/tracing/semantic_conventions.ts";
import type { SpanDescription } from "../../shared/tracing/spans.ts";

/** What a statement is, for people. */
export interface StatementSummary {
  /** One word of few; by default the statement's first. */
  readonly summary?: string;
  /** How many requests it serves, where it is for several. */
  readonly items?: number;
}

/** Describes a statement. */
export function statementSpan(
  { database }: Pick<PostgresTarget, "database">,
  statement: string,
  { summary = /[a-z]+/i.exec(statement)?.[0].toLowerCase() ?? "statement", items = 1 }: StatementSummary,
): SpanDescription {
  return {
    name: summary,
    kind: "client",
    attributes: {
      [Attribute.dbSystem]: "postgresql",
      [Attribute.dbSummary]: summary,
      ...(database === undefined ? {} : { [Attribute.dbNamespace]: database }),
      ...(items > 1 ? { [Attribute.dbBatchSize]: items } : {}),
    },
  };
}
