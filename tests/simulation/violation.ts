// What a run fails with: an invariant by name, and what was seen instead.

/** An invariant did not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  constructor(readonly invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
  }
}

/** Throws a {@link Violation} unless `holds`. */
export function expect(holds: boolean, invariant: string, detail: () => string): void {
  if (!holds) throw new Violation(invariant, detail());
}
