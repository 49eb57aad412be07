// The SQL of the stores. A label statement does its whole work for many tickets: one round trip, one commit.

import { type IdType, quoted, type TableFacts, type TicketsTable } from "./tickets_table.ts";

/** The store's SQL for one table. Where nothing else is said a statement takes one parameter: a JSON array of items. */
export interface Statements {
  readonly begin: string;
  /** Keeps labels that were paid for; rows are those that were there. Touches nothing of the user's. */
  readonly store: string;
  /** Moves the fence where it lets a stored label, and writes the ticket; rows are those that were not written. */
  readonly apply: string;
  readonly release: string;
  readonly renew: string;
  readonly check: string;
  /** $1 is the ticket's id. */
  readonly read: string;
  /** $1 id, $2 category, $3 who, $4 why. */
  readonly override: string;
  /** $1 id, $2 who. */
  readonly undo: string;
  /** $1 confidence, $2 most rows, $3 categories as a JSON array. */
  readonly review: string;
  /** $1 is a JSON array of ids. */
  readonly texts: string;
  /** $1 most rows. */
  readonly overrides: string;
  readonly accuracy: string;
}

/** How long a claim lives without being renewed, by the database's clock. */
export const LEASE_S = 15;

const KEY = "ticket_id text, content_hash text, label_version text";
const CLAIM = "claim uuid";
const EVENT = "topic text, partition integer, record_offset bigint, event_at_ms bigint";
const LABEL =
  "category text, confidence double precision, reason text, language text, model text, input_tokens integer, " +
  "output_tokens integer, cost_usd double precision, truncated boolean";
const LABEL_COLUMNS =
  "category, confidence, reason, language, model, input_tokens, output_tokens, cost_usd, truncated";
const SAME_KEY =
  "l.ticket_id = i.ticket_id and l.content_hash = i.content_hash and l.label_version = i.label_version";

const items = (columns: string) => `json_to_recordset($1::text::json) as i(ord integer, ${columns})`;

/** See {@link Statements}. */
export function statementsFor(
  table: TicketsTable,
  { idType, categoryType, lockable, textColumns }: TableFacts,
): Statements {
  const names = {
    table: quoted(table.name),
    id: quoted(table.idColumn),
    category: quoted(table.categoryColumn),
    classifiedAt: quoted(table.classifiedAtColumn),
    idType,
    categoryType,
    lock: (how: string) => lockable ? how : "",
  };
  return {
    begin: begin(names),
    store: STORE,
    apply: apply(names),
    release: RELEASE,
    renew: `update ackpool.labels l set claimed_until = clock_timestamp() + interval '${LEASE_S} s'
      from ${items(`${KEY}, ${CLAIM}`)} where ${SAME_KEY} and l.claimed_by = i.claim and l.category is null`,
    check:
      `select current_setting('transaction_read_only') as read_only, ackpool.offset_contradicted(0, 0, 0, 0)
      from (select 1) as one
      where not exists (select t.${names.id}, t.${names.category}, t.${names.classifiedAt}, spend.model
        from ${names.table} t, ackpool.labels, ackpool.fences, ackpool.history, ackpool.spend,
          ackpool.failed_calls limit 0)`,
    read: read(names),
    override: override(names),
    undo: undo(names),
    review: REVIEW,
    // By column: a worker's role may read these and no others.
    texts: `
      select asked.id as ticket_id, ${
      (["subject", "body"] as const).map((column) =>
        `${textColumns.includes(column) ? `t.${column}::text` : "null"} as ${column}`
      ).join(", ")
    }
      from json_array_elements_text($1::text::json) as asked(id)
      join ${names.table} t on t.${names.id} = asked.id::${idType}`,
    overrides: OVERRIDES,
    accuracy: ACCURACY,
  };
}

interface Names {
  readonly table: string;
  readonly id: string;
  readonly category: string;
  readonly classifiedAt: string;
  readonly idType: IdType;
  readonly categoryType: string;
  /** A locking clause, or nothing where rows cannot be locked. */
  readonly lock: (how: string) => string;
}

/**
 * Looks at ticket, fence and label, and claims what is not bought. The claim is safe although the look is a snapshot:
 * `on conflict` judges the row as it is now, so a label or a claim that came in between makes it come back unclaimed.
 */
function begin({ table, id, category, idType }: Names): string {
  return `
    with facts as materialized (
      select i.*, f.category as fence_category, f.override_category, l.category as label_category,
        l.confidence, l.reason, l.language, l.model, l.input_tokens, l.output_tokens, l.cost_usd, l.truncated,
        l.label_version as found_version, failed.calls as failed_calls,
        case
          when t.there is null then 'not_found'
          when f.override_category is not null then 'overridden'
          when older.yes then 'stale'
          when l.category is not null then 'known'
          when failed.calls >= i.calls_max then 'spent'
          else 'buy'
        end as verdict,
        f.topic = i.topic and f.partition = i.partition and ackpool.offset_contradicted(
          i.record_offset, i.event_at_ms, f.record_offset, f.event_at_ms) as contradicted,
        t.category = l.category and f.content_hash = i.content_hash and f.label_version = i.label_version
          and f.event_at_ms = i.event_at_ms and f.record_offset is not distinct from i.record_offset
          and f.partition is not distinct from i.partition and f.topic is not distinct from i.topic as applied
      from ${items(`${KEY}, ${CLAIM}, ${EVENT}, replays integer, calls_max integer, takeover boolean`)}
      left join lateral (
        select true as there, t.${category}::text as category from ${table} t where t.${id} = i.ticket_id::${idType} limit 1
      ) t on true
      left join lateral (select * from ackpool.fences f where f.ticket_id = i.ticket_id limit 1) f on true
      cross join lateral (
        select ackpool.is_older(i.topic, i.partition, i.record_offset, i.event_at_ms,
          f.topic, f.partition, f.record_offset, f.event_at_ms) as yes
      ) older
      left join lateral (
        select * from ackpool.labels l where l.ticket_id = i.ticket_id
          and l.content_hash = case when older.yes then f.content_hash else i.content_hash end
          and l.label_version = case when older.yes then f.label_version else i.label_version end
        limit 1
      ) l on true
      left join lateral (
        select * from ackpool.failed_calls c where c.ticket_id = i.ticket_id
          and c.content_hash = i.content_hash and c.label_version = i.label_version limit 1
      ) c on true
      cross join lateral (
        select case when i.replays > coalesce(c.replays, 0) then 0 else coalesce(c.calls, 0) end
          -- Who died while they held the claim may have paid.
          + case when i.replays = 0 and l.category is null and l.claimed_until < clock_timestamp()
              then l.claims else 0 end as calls
      ) failed
    ), claimed as (
      insert into ackpool.labels as l (ticket_id, content_hash, label_version, claimed_by, claimed_until)
      select ticket_id, content_hash, label_version, claim, clock_timestamp() + interval '${LEASE_S} s'
      from facts where verdict = 'buy' order by ticket_id
      on conflict on constraint labels_pkey do update
        set claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, claims = l.claims + 1
        where l.category is null and l.claimed_until < clock_timestamp() and (select bool_and(takeover) from facts)
      returning l.ticket_id, l.claims
    )
    select ord, verdict, claims, failed_calls, applied, contradicted, fence_category, override_category, label_category, found_version,
      confidence, reason, language, model, input_tokens, output_tokens, cost_usd, truncated
    from facts left join claimed using (ticket_id)`;
}

const RELEASE = `
  with i as materialized (
    select * from ${items(`${KEY}, ${CLAIM}, replays integer, failed_calls integer`)}
  ), counted as (
    insert into ackpool.failed_calls as c (ticket_id, content_hash, label_version, calls, replays)
    select ticket_id, content_hash, label_version, failed_calls, replays from i where failed_calls > 0 order by ticket_id
    on conflict on constraint failed_calls_pkey do update
      set calls = case when excluded.replays > c.replays then 0 else c.calls end + excluded.calls,
        replays = greatest(c.replays, excluded.replays), failed_at = now()
  )
  delete from ackpool.labels l using i where ${SAME_KEY} and l.claimed_by = i.claim and l.category is null`;

const STORE = `
  with i as materialized (
    select * from ${items(`${KEY}, ${LABEL}`)}
  ), stored as (
    insert into ackpool.labels as l (ticket_id, content_hash, label_version, ${LABEL_COLUMNS}, labelled_at)
    select ticket_id, content_hash, label_version, ${LABEL_COLUMNS}, now() from i order by ticket_id
    on conflict on constraint labels_pkey do update
      set ${LABEL_COLUMNS.split(", ").map((column) => `${column} = excluded.${column}`).join(", ")},
        labelled_at = excluded.labelled_at, claimed_by = null, claimed_until = null
      where l.category is null
    returning l.ticket_id
  )
  select i.ord from i where not exists (select from stored s where s.ticket_id = i.ticket_id)`;

/**
 * Tickets are locked first and without waiting: a row that somebody else holds is left out, so that it holds up no
 * other ticket. Then the fences, in the order of their ids, so that replicas do not deadlock.
 */
function apply({ table, id, category, classifiedAt, idType, categoryType, lock }: Names): string {
  return `
    with i as materialized (
      select i.*, f.content_hash as old_hash, f.label_version as old_version,
        l.category, l.confidence, l.model, l.reason
      from ${items(`${KEY}, ${EVENT}`)}
      left join lateral (select * from ackpool.fences f where f.ticket_id = i.ticket_id limit 1) f on true
      left join lateral (select * from ackpool.labels l where ${SAME_KEY} limit 1) l on true
    ), locked as materialized (
      select i.ticket_id from i join ${table} t on t.${id} = i.ticket_id::${idType} ${
    lock("for update of t skip locked")
  }
    ), fenced as (
      insert into ackpool.fences as f
        (ticket_id, topic, partition, record_offset, event_at_ms, content_hash, label_version, category)
      select ticket_id, topic, partition, record_offset, event_at_ms, content_hash, label_version, category
      from i join locked using (ticket_id) where category is not null order by ticket_id
      on conflict on constraint fences_pkey do update
        set topic = excluded.topic, partition = excluded.partition, record_offset = excluded.record_offset,
          event_at_ms = excluded.event_at_ms, content_hash = excluded.content_hash,
          label_version = excluded.label_version, category = excluded.category
        where f.override_category is null and not ackpool.is_older(
          excluded.topic, excluded.partition, excluded.record_offset, excluded.event_at_ms,
          f.topic, f.partition, f.record_offset, f.event_at_ms)
      returning f.ticket_id, f.category
    ), updated as (
      update ${table} t set ${category} = fenced.category::${categoryType}, ${classifiedAt} = now()
      from fenced where t.${id} = fenced.ticket_id::${idType}
      returning fenced.ticket_id
    ), recorded as (
      insert into ackpool.history (ticket_id, category, confidence, source, label_version, decided_by, reason)
      select i.ticket_id, i.category, i.confidence, 'model', i.label_version, i.model, i.reason
      from i join fenced using (ticket_id)
      where i.old_hash is distinct from i.content_hash or i.old_version is distinct from i.label_version
    )
    select i.ord,
      exists (select from locked k where k.ticket_id = i.ticket_id) as locked,
      exists (select from ${table} t where t.${id} = i.ticket_id::${idType}) as present
    from i where not exists (select from updated u where u.ticket_id = i.ticket_id)`;
}

/** A ticket, the label it carries by the fence, and its history as JSON, newest first. */
function read({ table, id, category, classifiedAt, idType }: Names): string {
  return `
    select t.${category}::text as category, t.${classifiedAt}::timestamptz as classified_at, f.override_category, f.override_by,
      l.category as label_category, l.confidence, l.reason, l.language, l.model, l.input_tokens, l.output_tokens,
      l.cost_usd, l.truncated, l.label_version as found_version,
      coalesce((
        select json_agg(json_build_object(
          'category', h.category, 'confidence', h.confidence, 'source', h.source, 'labelVersion', h.label_version,
          'decidedBy', h.decided_by, 'reason', h.reason,
          'at', to_char(h.written_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by h.id desc)
        from ackpool.history h where h.ticket_id = $1::text
      ), '[]') as history
    from ${table} t
    left join ackpool.fences f on f.ticket_id = $1::text
    left join ackpool.labels l on l.ticket_id = f.ticket_id and l.content_hash = f.content_hash
      and l.label_version = f.label_version
    where t.${id} = $1::text::${idType}`;
}

/** Locks ticket before fence, as `apply` does. */
function override({ table, id, category, classifiedAt, idType, categoryType, lock }: Names): string {
  return `
    with ticket as materialized (
      select $1::text as ticket_id from ${table} t where t.${id} = $1::text::${idType} ${lock("for update")}
    ), fenced as (
      insert into ackpool.fences as f (ticket_id, override_category, override_by, override_at)
      select ticket_id, $2::text, $3::text, now() from ticket
      on conflict on constraint fences_pkey do update
        set override_category = excluded.override_category, override_by = excluded.override_by,
          override_at = excluded.override_at
      returning f.ticket_id, f.category as model_category
    ), updated as (
      update ${table} t set ${category} = $2::text::${categoryType}, ${classifiedAt} = now()
      from fenced where t.${id} = fenced.ticket_id::${idType}
      returning t.${id}
    ), recorded as (
      insert into ackpool.history (ticket_id, category, source, decided_by, reason)
      select ticket_id, $2::text, 'human', $3::text, $4::text from fenced
    )
    select fenced.model_category,
      not exists (select from ackpool.history h where h.ticket_id = $1::text and h.source = 'human') as first
    from fenced, updated`;
}

/** Locks as `override` does. One row, whether or not there is such a ticket. */
function undo({ table, id, category, classifiedAt, idType, categoryType, lock }: Names): string {
  return `
    with ticket as materialized (
      select $1::text as ticket_id, t.${category}::text as category
      from ${table} t where t.${id} = $1::text::${idType} ${lock("for update")}
    ), fenced as (
      update ackpool.fences f set override_category = null, override_by = null, override_at = null
      from ticket where f.ticket_id = ticket.ticket_id and f.override_category is not null
      returning f.ticket_id, f.category
    ), updated as (
      update ${table} t set ${category} = fenced.category::${categoryType},
        ${classifiedAt} = case when fenced.category is null then null else now() end
      from fenced where t.${id} = fenced.ticket_id::${idType}
      returning t.${id}
    ), recorded as (
      insert into ackpool.history (ticket_id, category, source, decided_by, reason)
      select ticket_id, category, 'human', $2::text, 'The override was taken back' from fenced
      where category is not null
    )
    select exists (select from ticket) as there, exists (select from updated) as undone,
      case when exists (select from fenced) then (select category from fenced) else (select category from ticket) end
        as category`;
}

const REVIEW = `
  select l.ticket_id, l.category, l.confidence, l.reason, l.labelled_at as at
  from ackpool.labels l
  join ackpool.fences f on f.ticket_id = l.ticket_id and f.content_hash = l.content_hash
    and f.label_version = l.label_version
  where l.confidence < $1::double precision and f.override_category is null
    and l.category in (select json_array_elements_text($3::text::json))
  order by l.confidence, l.ticket_id
  limit $2::integer`;

const OVERRIDES = `
  select f.ticket_id, f.override_category as category, f.category as model_category, f.override_by as by,
    f.override_at as at
  from ackpool.fences f where f.override_category is not null and f.override_at is not null
  order by f.override_at desc limit $1::integer`;

const ACCURACY = `
  select f.category, count(*) filter (where f.override_category = f.category)::integer as right,
    count(*)::integer as reviewed
  from ackpool.fences f where f.override_category is not null and f.category is not null
  group by f.category order by f.category`;
