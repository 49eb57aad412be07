// Codecs: gzip, snappy, lz4 and zstd, each of which unpacks to a bounded number of bytes.

import { snappyCompressor, snappyUncompressor } from "hysnappy";
import { CompressionCodecs, CompressionTypes } from "kafkajs";
// @ts-types="@types/lz4js"
import lz4 from "lz4js";
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip as unzip, gzip as zip, zstdCompress, zstdDecompress } from "node:zlib";

/** A codec as kafkajs takes it. It compresses an encoder's buffer and reads a record batch's. */
interface Codec {
  compress(encoder: { readonly buffer: Uint8Array }): Promise<Uint8Array>;
  decompress(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Compressed bytes that are none, or that would become too many. */
export class CorruptBatch extends Error {
  override readonly name = "CorruptBatch";
}

/** A batch of tickets becomes no larger than this in earnest, in bytes: more is a trap for our memory. */
export const UNPACKED_BYTES_MAX = 32 * 1024 * 1024;
/** Node's word for an output that is longer than allowed. */
const TOO_LARGE = "ERR_BUFFER_TOO_LARGE";
/** What snappy-java puts in front of its blocks, in Kafka's Java clients. */
const XERIAL = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
/** Behind it two versions of four bytes each. */
const XERIAL_HEADER_BYTES = XERIAL.length + 8;

/** Teaches kafkajs all codecs. Asked for again, it changes nothing. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => gzip;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Frame;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
}

// Compiled when they are first needed, for most topics have another codec.
let uncompressSnappy: ReturnType<typeof snappyUncompressor> | undefined;
let compressSnappy: ReturnType<typeof snappyCompressor> | undefined;

/** Gzip: the runtime's own, which kafkajs uses without a bound. */
export const gzip: Codec = {
  compress: ({ buffer }) => promisify(zip)(buffer),
  decompress: (bytes) => unpackWith(unzip, bytes),
};

/** Snappy, in the Java clients' frame or without one, as librdkafka writes it. */
export const snappy: Codec = {
  compress: ({ buffer }) =>
    Promise.resolve().then(() => toBuffer((compressSnappy ??= snappyCompressor())(buffer))),
  decompress: (bytes) => Promise.resolve().then(() => toBuffer(unframe(bytes))),
};

/** LZ4 in its frame format. */
export const lz4Frame: Codec = {
  compress: ({ buffer }) => Promise.resolve().then(() => toBuffer(lz4.compress(buffer))),
  decompress: (bytes) =>
    Promise.resolve().then(() => {
      // Its types say that it returns nothing.
      const most: unknown = lz4.decompressBound(bytes);
      if (typeof most !== "number" || !(most <= UNPACKED_BYTES_MAX)) throw tooLarge();
      return toBuffer(lz4.decompress(bytes, most));
    }),
};

/** Zstandard: the runtime's own. */
export const zstd: Codec = {
  compress: ({ buffer }) => promisify(zstdCompress)(buffer),
  decompress: (bytes) => unpackWith(zstdDecompress, bytes),
};

type Unpack = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, out: Buffer) => void,
) => void;

/** Stops while it unpacks. */
async function unpackWith(unpack: Unpack, bytes: Uint8Array): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  unpack(
    bytes,
    { maxOutputLength: UNPACKED_BYTES_MAX },
    (error, out) => error === null ? resolve(out) : reject(error),
  );
  try {
    return await promise;
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    throw code === TOO_LARGE ? tooLarge() : new CorruptBatch(message);
  }
}

const tooLarge = () => new CorruptBatch(`It unpacks to more than ${UNPACKED_BYTES_MAX} bytes`);

/** kafkajs calls a Buffer's methods on it. The bytes are not copied. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function unframe(bytes: Uint8Array): Uint8Array {
  if (!XERIAL.every((byte, at) => bytes[at] === byte)) return uncompressBlock(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  let left = UNPACKED_BYTES_MAX;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 4 + length > bytes.length) throw new CorruptBatch("A snappy block is cut off");
    const block = uncompressBlock(bytes.subarray(at + 4, at + 4 + length), left);
    left -= block.length;
    blocks.push(block);
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

function uncompressBlock(block: Uint8Array, most = UNPACKED_BYTES_MAX): Uint8Array {
  const length = blockLength(block);
  if (length > most) throw tooLarge();
  uncompressSnappy ??= snappyUncompressor();
  return uncompressSnappy(block, length);
}

/** The length before compression, in front of every block: seven bits a byte, the lowest first. */
function blockLength(block: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new CorruptBatch("A snappy block does not begin with its length");
}
