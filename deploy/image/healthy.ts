// Exits 0 when one of the URLs on the command line answers 2xx: the images have no curl.

/** Shorter than the time limit of a health check. */
const LIMIT_MS = 4000;

const answers = await Promise.all(Deno.args.map(answersWell));
Deno.exit(answers.includes(true) ? 0 : 1);

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
