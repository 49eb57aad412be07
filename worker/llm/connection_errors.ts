// Connection errors in a word or two: the runtime names the reason somewhere in the causes of its error.

/** What the runtime writes, and what people know it as. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, "ECONNREFUSED, nothing listens there"],
  [/dns error|failed to lookup|name or service not known/i, "ENOTFOUND, the name is not known"],
  [/connection reset/i, "ECONNRESET, the connection was cut"],
  [/connection closed|closed before|reading a body|unexpected end|unexpected eof/i, "it cut the connection"],
  [/no route to host|host (is )?unreachable/i, "EHOSTUNREACH, no way leads there"],
  [/network (is )?unreachable/i, "ENETUNREACH, no way leads there"],
  [/timed out/i, "ETIMEDOUT"],
  [/certificate|InvalidContentType|handshake|tls/i, "TLS failed: certificate or protocol"],
  [/invalid HTTP/i, "it does not speak HTTP"],
  [/are blocked/i, "fetch never calls this port"],
];
const CAUSES_MAX = 5;

/** Never repeats a message: it may hold a URL with a key, or the ticket. */
export function connectionError(error: unknown): string {
  const chain = chainOf(error);
  for (const { message } of chain) {
    const known = KNOWN.find(([pattern]) => pattern.test(message))?.[1];
    if (known !== undefined) return known;
  }
  return chain.at(-1)?.name ?? "unknown error";
}

function chainOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && chain.length < CAUSES_MAX; at = at.cause) chain.push(at);
  return chain;
}
