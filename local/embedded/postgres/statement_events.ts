// The log messages by which the embedded Postgres tells `start` when statements of people begin and end.

/** A statement of somebody who is none of our programs begins. */
export const STATEMENT_BEGAN = "statement began";
/** It has ended. */
export const STATEMENT_ENDED = "statement ended";
