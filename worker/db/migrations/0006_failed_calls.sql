-- Calls of the LLM that were paid for and gave no usable label, so that a ticket's price is bounded over replicas,
-- redeliveries and restarts. `replays` is the delivery's they were made for: an operator's next replay counts from 0.
create table ackpool.failed_calls (
  ticket_id text not null,
  content_hash text not null,
  label_version text not null,
  calls integer not null,
  replays integer not null default 0,
  failed_at timestamptz not null default now(),
  constraint failed_calls_pkey primary key (ticket_id, content_hash, label_version)
);
