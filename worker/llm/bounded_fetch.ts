// Fetch that reads at most so many bytes of an answer, counted after unpacking.

/** An answer longer than the limit ends its stream with this. */
export class AnswerTooLongError extends Error {
  override readonly name = "AnswerTooLongError";
}

/**
 * `fetch` whose response bodies fail beyond `bytesMax`. Redirects are not followed. A refusal's body comes as the `error`
 * of an object whatever its shape, since the SDK passes on nothing else.
 */
export function boundedFetch(bytesMax: number): typeof fetch {
  return async (input, init) => {
    const response = bounded(
      await fetch(...withoutUserInfo(input, { ...init, redirect: "manual" })),
      bytesMax,
    );
    return response.ok ? response : await refusal(response);
  };
}

/** A password in the address goes into the header that `fetch` would make of it: Deno's traces show addresses. */
function withoutUserInfo(input: Parameters<typeof fetch>[0], init: RequestInit): [typeof input, RequestInit] {
  if (input instanceof Request) return [input, init];
  const url = new URL(input);
  if (url.username === "" && url.password === "") return [input, init];
  const { username, password } = url;
  const userInfo = encoder.encode(`${decoded(username)}:${decoded(password)}`);
  const headers = new Headers(init.headers);
  headers.set("authorization", `Basic ${userInfo.toBase64()}`);
  url.username = url.password = "";
  return [url, { ...init, headers }];
}

/** A percent sign that begins nothing stands for itself. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (octets) => {
    try {
      return decodeURIComponent(octets);
    } catch {
      return octets;
    }
  });
}

const encoder = new TextEncoder();

function bounded(response: Response, bytesMax: number): Response {
  // A length says nothing about what comes out of a packed body.
  const isPacked = response.headers.has("content-encoding");
  const stated = isPacked ? NaN : Number(response.headers.get("content-length") ?? NaN);
  if (response.body === null || stated <= bytesMax) return response;
  return new Response(response.body.pipeThrough(limiter(bytesMax)), response);
}

async function refusal(response: Response): Promise<Response> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  return Response.json({ error: parsed(text) }, {
    status: status === 304 ? 502 : status,
    headers: kept(headers),
  });
}

/** All that still holds of the new body. */
function kept(headers: Headers): Headers {
  const fields = new Headers(headers);
  for (const name of ["content-type", "content-length", "content-encoding"]) fields.delete(name);
  return fields;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function limiter(bytesMax: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) {
        controller.error(new AnswerTooLongError(`The answer is longer than ${bytesMax} bytes`));
      } else controller.enqueue(chunk);
    },
  });
}
