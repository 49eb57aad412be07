-- GET /review reads the least confident labels first, however many labels there are.
create index labels_by_confidence on ackpool.labels (confidence, ticket_id) where confidence is not null;
