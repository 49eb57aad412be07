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
    const response = bounded(await fetch(input, { ...init, redirect: "manual" }), bytesMax);
    return response.ok ? response : await refusal(response);
  };
}

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
