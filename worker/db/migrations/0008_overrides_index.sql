-- The review page shows who overrode what, and how often the model was right, however many tickets there are.
create index fences_overridden on ackpool.fences (override_at) where override_category is not null;
