// Lines of a stream of text, as they arrive.

/** The lines of a stream of UTF-8, without their ends. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  yield* linesOfText(decoded(bytes));
}

/** The lines of a text that comes in pieces, without their ends. */
export async function* linesOfText(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Bytes as text, characters that are cut apart joined. */
export async function* decoded(
  bytes: AsyncIterable<Uint8Array>,
  decoder: TextDecoder = new TextDecoder(),
): AsyncGenerator<string> {
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
