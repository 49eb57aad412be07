-- What all workers together used, a row a day (UTC): the budgets of TOKENS_PER_DAY and USD_PER_DAY.
create table ackpool.spend (
  day date not null,
  tokens bigint not null default 0,
  usd double precision not null default 0,
  constraint spend_pkey primary key (day)
);
