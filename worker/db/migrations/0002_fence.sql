-- Which event wrote each ticket's label, so that an older one never overwrites it, and what a human decided instead.
-- Not called `tickets`: a database user named ackpool has this schema first in its search path.
create table ackpool.fences (
  ticket_id text not null,
  topic text,
  partition integer,
  record_offset bigint,
  event_at_ms bigint,
  content_hash text,
  label_version text,
  category text,
  override_category text,
  override_by text,
  override_at timestamptz,
  constraint fences_pkey primary key (ticket_id)
);

-- The one place where "older" is decided: inside a partition by offset, otherwise by timestamp. What was never written
-- (nulls on the right) is older than everything.
create function ackpool.is_older(
  topic text, partition integer, record_offset bigint, at_ms bigint,
  than_topic text, than_partition integer, than_offset bigint, than_at_ms bigint
) returns boolean language sql immutable as $$
  select coalesce(
    case when topic = than_topic and partition = than_partition
      then record_offset < than_offset
      else at_ms < than_at_ms
    end, false)
$$;

-- Every label a ticket ever carried.
create table ackpool.history (
  id bigint generated always as identity,
  ticket_id text not null,
  category text not null,
  confidence double precision,
  -- 'model' or 'human'.
  source text not null,
  -- The model and label version, or who overrode it.
  label_version text,
  decided_by text not null,
  reason text,
  written_at timestamptz not null default now(),
  constraint history_pkey primary key (id),
  constraint history_source_is_known check (source in ('model', 'human'))
);
create index history_by_ticket on ackpool.history (ticket_id, id);
