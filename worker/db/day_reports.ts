// Reports of days out of the database: labels bought on a day, people's decisions about them, and what calls cost.

import type { CategoryLine, DayReport, ModelLine } from "../core/day_report.ts";
import type { Database, Row } from "./database.ts";

/** A label that a newer text or model replaced is nobody's to review any more: people's decisions are joined by it. */
const LABELS = `
  select l.category, count(*)::int as labels, count(f.override_category)::int as reviewed,
    (count(*) filter (where f.override_category <> l.category))::int as overridden,
    avg(l.confidence)::double precision as mean_confidence
  from ackpool.labels l
  left join ackpool.fences f on f.ticket_id = l.ticket_id and f.content_hash = l.content_hash
    and f.label_version = l.label_version
  where l.category is not null and l.labelled_at >= $1::timestamptz
    and l.labelled_at < $1::timestamptz + interval '24 hours'
  group by l.category order by count(*) desc, l.category`;

const SPEND = `
  select model, calls::double precision, input_tokens::double precision, output_tokens::double precision, usd,
    unpriced_calls::double precision
  from ackpool.spend where day = $1::date order by usd desc, model`;

/**
 * Reads the report of one day, `2026-11-27` (UTC).
 *
 * @throws {Error} the database's.
 */
export async function readDayReport(database: Database, day: string): Promise<DayReport> {
  const labels = await database.run<
    Row & Omit<CategoryLine, "meanConfidence"> & { mean_confidence: number | null }
  >(LABELS, [`${day}T00:00:00Z`]);
  const spend = await database.run<
    Row & Pick<ModelLine, "model" | "calls" | "usd"> & {
      input_tokens: number;
      output_tokens: number;
      unpriced_calls: number;
    }
  >(SPEND, [day]);
  return {
    day,
    categories: labels.map(({ mean_confidence, ...line }) => ({ ...line, meanConfidence: mean_confidence })),
    models: spend.map(({ model, calls, usd, input_tokens, output_tokens, unpriced_calls }) => ({
      model,
      calls,
      inputTokens: input_tokens,
      outputTokens: output_tokens,
      usd,
      unpricedCalls: unpriced_calls,
    })),
  };
}
