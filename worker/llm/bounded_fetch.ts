// Fetch that reads no more of an answer than it must: a provider's 100 MB are cut off, not collected.

/** An answer longer than the limit ends its stream with this. */
export class AnswerTooLongError extends Error {
  override readonly name = "AnswerTooLongError";
}

/** `fetch` whose response bodies fail beyond `bytesMax`. Redirects are not followed. */
export function boundedFetch(bytesMax: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" });
    const stated = Number(response.headers.get("content-length") ?? NaN);
    if (response.body === null || stated <= bytesMax) return response;
    return new Response(response.body.pipeThrough(limiter(bytesMax)), response);
  };
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
