-- Labels that were paid for, and the claims of those who are buying one. They share a table so that "is it bought, and if
-- not, is it mine to buy?" is one atomic statement: a claim and a label can never pass each other unseen.
create table ackpool.labels (
  ticket_id text not null,
  content_hash text not null,
  label_version text not null,
  -- The claim: a lease by the database's clock, which its holder renews. Meaningless once there is a category.
  claimed_by uuid,
  claimed_until timestamptz,
  -- How often the label was claimed and not released: above 1, somebody died between paying and storing.
  claims integer not null default 1,
  category text,
  confidence double precision,
  reason text,
  language text,
  model text,
  input_tokens integer,
  output_tokens integer,
  cost_usd double precision,
  truncated boolean,
  labelled_at timestamptz,
  constraint labels_pkey primary key (ticket_id, content_hash, label_version),
  constraint labels_is_claim_or_label check (category is not null or claimed_by is not null),
  constraint labels_confidence_is_share check (confidence between 0 and 1)
);
