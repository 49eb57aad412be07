// The version of Ackpool: that of `--version` and of the API's description.

/** Semantic versioning: the first number changes when a caller has to. */
export const VERSION = "1.0.0";
