// What an attack is, and what all of them use: raw requests, calls with a token, and the verdict on each.

/** Where the stack under attack listens; loopback only. */
export interface Target {
  readonly ingress: string;
  readonly admin: string;
  /** Calls of the LLM so far. */
  readonly llmCalls: () => number;
}

/** The tokens of the stack under attack. */
export const TOKENS = {
  delivery: "delivery-4f1c",
  asks: "asks-77aa",
  decides: "decides-19be",
  admin: "admin-c0de",
} as const;

/** One thing that somebody who means harm would try. */
export interface Attack {
  readonly name: string;
  /** Throws where it did not hold. */
  readonly run: (target: Target) => Promise<void>;
}

/** The headers of somebody who may ask for labels. */
export const ASKS = { "authorization": `Bearer ${TOKENS.asks}`, "content-type": "application/json" };

/** A ticket with words of its own, so that its label is bought anew. */
export function ticket(id?: number): string {
  const body = `It is broken. ${crypto.randomUUID()}`;
  return JSON.stringify({ ...(id === undefined ? {} : { ticket_id: id }), subject: "Error", body });
}

/** An ordinary call: it must be answered whatever else goes on. */
export async function classify(
  { ingress }: Target,
  headers: Record<string, string> = ASKS,
  body: BodyInit = ticket(),
): Promise<Response> {
  const signal = AbortSignal.timeout(60_000);
  return await fetch(`${ingress}/classify`, { method: "POST", headers, body, signal });
}

/** Sends bytes over a connection of its own; the status of what comes back, or undefined where nothing does. */
export async function rawStatus(url: string, text: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const answer = await new Response(connection.readable).text().catch(() => "");
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]) || undefined;
}
