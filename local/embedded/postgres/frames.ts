// The frame reader: cuts the bytes of one Postgres connection into messages (PostgreSQL documentation, chapter 55.7). Pure.

/** One message of a client. `bytes` is the whole of it, header included. */
export type Frame =
  | { readonly kind: "encryption_request" }
  | { readonly kind: "cancel_request" }
  | { readonly kind: "startup"; readonly bytes: Uint8Array }
  | { readonly kind: "message"; readonly type: string; readonly bytes: Uint8Array };

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const FRAME_BYTES_MAX = 256 * 1024 * 1024;

/** Takes a connection's bytes as they come and gives its messages. */
export class FrameReader {
  #pending: Uint8Array = new Uint8Array(0);
  #started = false;

  /**
   * The messages that are complete once `chunk` has come.
   *
   * @throws {RangeError} when the bytes are not the Postgres protocol.
   */
  *push(chunk: Uint8Array): Generator<Frame> {
    this.#pending = this.#pending.length === 0 ? chunk : joined([this.#pending, chunk]);
    for (let length = this.#nextLength(); length !== undefined; length = this.#nextLength()) {
      const bytes = this.#pending.subarray(0, length);
      this.#pending = this.#pending.subarray(length);
      yield this.#frame(bytes);
    }
  }

  /** Length of the first pending message, undefined while it is incomplete. */
  #nextLength(): number | undefined {
    const header = this.#started ? 1 : 0;
    if (this.#pending.length < header + 4) return undefined;
    const stated = int32(this.#pending, header);
    if (stated < (this.#started ? 4 : 8) || stated > FRAME_BYTES_MAX) {
      throw new RangeError(`Message length is not possible: current value is ${stated}`);
    }
    return this.#pending.length < header + stated ? undefined : header + stated;
  }

  #frame(bytes: Uint8Array): Frame {
    if (this.#started) return { kind: "message", type: String.fromCharCode(bytes[0] ?? 0), bytes };
    const code = int32(bytes, 4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: "encryption_request" };
    if (code === CANCEL_REQUEST) return { kind: "cancel_request" };
    this.#started = true;
    return { kind: "startup", bytes };
  }
}

/** A parameter of a client's start-up message, such as `application_name`; undefined where it has none of that name. */
export function startupParameter(bytes: Uint8Array, name: string): string | undefined {
  const strings = new TextDecoder().decode(bytes.subarray(8)).split("\0");
  const at = strings.findIndex((each, index) => index % 2 === 0 && each === name);
  return at < 0 ? undefined : strings[at + 1];
}

/** An ErrorResponse after which the connection ends. */
export function fatalError(sqlState: string, text: string): Uint8Array {
  return message("E", new TextEncoder().encode(`SFATAL\0VFATAL\0C${sqlState}\0M${text}\0\0`));
}

/** Several byte arrays as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A message of ours: its type, its length, its body. */
export function message(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, body.length + 4);
  bytes.set(body, 5);
  return bytes;
}

/** The transaction status in a closing ReadyForQuery (`I`, `T` or `E`); undefined when the answer ends otherwise. */
export function readyStatus(answer: Uint8Array): string | undefined {
  const [type, a, b, c, d, status] = answer.subarray(-6);
  const ready = type === 0x5a && a === 0 && b === 0 && c === 0 && d === 5;
  return ready && status !== undefined ? String.fromCharCode(status) : undefined;
}

function int32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(at);
}
