// Embeddings as bytes: a line that says of which texts they are, then 8 bits a component. Pure.

const decoder = new TextDecoder();
const encoder = new TextEncoder();

interface Header {
  /** The hash of the texts the vectors belong to. */
  readonly key: string;
  readonly count: number;
  readonly size: number;
}

/** Packs vectors of one length; each keeps its own scale, a loss of well under 1% of its length. */
export function packVectors(key: string, vectors: readonly Float32Array[]): Uint8Array {
  const size = vectors[0]?.length ?? 0;
  const header = encoder.encode(`${JSON.stringify({ key, count: vectors.length, size })}\n`);
  const bytes = new Uint8Array(header.length + vectors.length * (4 + size));
  bytes.set(header);
  const view = new DataView(bytes.buffer);
  let at = header.length;
  for (const vector of vectors) {
    const scale = vector.reduce((most, component) => Math.max(most, Math.abs(component)), 0) / 127 || 1;
    view.setFloat32(at, scale, true);
    for (const [place, component] of vector.entries()) {
      view.setInt8(at + 4 + place, Math.round(component / scale));
    }
    at += 4 + size;
  }
  return bytes;
}

/** The vectors of these texts, or undefined where the bytes belong to other texts or are cut short. */
export function unpackVectors(key: string, bytes: Uint8Array): readonly Float32Array[] | undefined {
  const end = bytes.indexOf(10);
  const header = end < 0 ? undefined : parseHeader(decoder.decode(bytes.subarray(0, end)));
  if (header?.key !== key || bytes.length !== end + 1 + header.count * (4 + header.size)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + end + 1);
  return Array.from({ length: header.count }, (_, row) => {
    const start = row * (4 + header.size);
    const scale = view.getFloat32(start, true);
    return Float32Array.from({ length: header.size }, (_, place) => view.getInt8(start + 4 + place) * scale);
  });
}

function parseHeader(line: string): Header | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
