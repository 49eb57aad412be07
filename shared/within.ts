// Waiting for the end of something, but not for ever.

/** Waits for work, but not longer than `ms`; says whether it was done in time. What fails is done, too. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = work.then(() => true, () => true);
  return await Promise.race([done, late]).finally(() => clearTimeout(timer));
}
