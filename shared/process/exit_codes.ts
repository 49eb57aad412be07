// Exit codes of every program.

/** sysexits.h has no better ones that people know. */
export const EXIT = { ok: 0, failed: 1, config: 2, heldUp: 3, interrupted: 130 } as const;
