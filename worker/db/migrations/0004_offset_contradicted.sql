-- A topic that was made anew counts its offsets from 0 again. So inside a partition offsets decide which event is older
-- only where the timestamps do not contradict them by more than a minute, which no honest clock is off; there the
-- timestamps decide.
create function ackpool.offset_contradicted(
  record_offset bigint, at_ms bigint, than_offset bigint, than_at_ms bigint
) returns boolean language sql immutable as $$
  select coalesce(
    (record_offset < than_offset and at_ms > than_at_ms + 60000)
      or (record_offset > than_offset and at_ms < than_at_ms - 60000), false)
$$;

create or replace function ackpool.is_older(
  topic text, partition integer, record_offset bigint, at_ms bigint,
  than_topic text, than_partition integer, than_offset bigint, than_at_ms bigint
) returns boolean language sql immutable as $$
  select coalesce(
    case when topic = than_topic and partition = than_partition
        and not ackpool.offset_contradicted(record_offset, at_ms, than_offset, than_at_ms)
      then record_offset < than_offset
      else at_ms < than_at_ms
    end, false)
$$;
