-- Spending is kept by model, whether or not a budget is set. Rows from before have no model.
alter table ackpool.spend
  add column model text not null default '',
  add column calls bigint not null default 0,
  add column input_tokens bigint not null default 0,
  add column output_tokens bigint not null default 0,
  -- Calls of models without a known price, which usd leaves out.
  add column unpriced_calls bigint not null default 0;
alter table ackpool.spend drop constraint spend_pkey;
alter table ackpool.spend add constraint spend_pkey primary key (day, model);
-- The report of a day looks labels up by when they were bought.
create index labels_by_time on ackpool.labels (labelled_at) where labelled_at is not null;
