// Splits a byte stream into lines of text.

/** The lines of a stream, without their ends; the last one too when nothing ends it. */
export async function* delimitedLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest.length > 0) yield rest;
}
