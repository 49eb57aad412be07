// The error of a start that failed. Any part may throw it; only a main file turns it into an exit code.

/** A start that failed, with the one line that says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}
