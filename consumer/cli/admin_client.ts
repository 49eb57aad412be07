// Asks running consumers over their admin ports: what an operator wants of the one that holds a record.

/** A consumer's answer. */
interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** How long a consumer may take to answer, in ms. */
const ANSWER_LIMIT_MS = 10_000;

/** What came of a request to several consumers. */
export type Asked =
  | { readonly kind: "done"; readonly by: string; readonly body: Readonly<Record<string, unknown>> }
  /** Each of them with what it said. */
  | { readonly kind: "refused"; readonly answers: readonly string[] };

/**
 * Asks one after the other until one does it.
 *
 * @param admins base URLs of their admin ports.
 * @param token `ADMIN_TOKEN`, where they ask for one.
 */
export async function askFirst(
  admins: readonly string[],
  token: string | undefined,
  path: string,
  body: unknown,
): Promise<Asked> {
  const answers: string[] = [];
  for (const admin of admins) {
    try {
      const answer = await post(new URL(path, admin), token, body);
      if (answer.ok) return { kind: "done", by: admin, body: answer.body };
      answers.push(`${admin}: ${answer.body["detail"] ?? answer.status}`);
    } catch (error) {
      answers.push(`${admin}: ${(error as Error).message}`);
    }
  }
  return { kind: "refused", answers };
}

async function post(url: URL, token: string | undefined, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const { ok, status } = response;
  return { ok, status, body: await response.json().catch(() => ({})) };
}
