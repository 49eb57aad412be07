// HttpWatch reads the records and their statuses off one HTTP/1.1 connection without pipelining: each POST alone, or the
// lines of a streamed batch.

import { BATCH_PATH } from "../../../shared/contract/batch_lines.ts";
import { CLASSIFY_PATH, RequestHeader } from "../../../shared/contract/protocol.ts";

/** Notes how a record was answered, or that its connection ended first. */
type Answered = (status: number | undefined) => void;

/** One connection. Bytes are handed in as they pass. */
export class HttpWatch {
  readonly #latin1 = new TextDecoder("latin1");
  readonly #sent: (key: string) => Answered;
  #requestText = "";
  #bodyLeft = 0;
  /** The body of a batch so far; undefined while none is read. */
  #batch: string | undefined;
  #responseText = "";
  #lines: ChunkedLines | undefined;
  /** Records under way, by key. */
  readonly #open = new Map<string, Answered>();
  #awaiting = false;

  constructor(sent: (key: string) => Answered) {
    this.#sent = sent;
  }

  request(bytes: Uint8Array): void {
    this.#requestText += this.#latin1.decode(bytes);
    while (this.#requestText.length > 0) {
      const body = this.#requestText.slice(0, this.#bodyLeft);
      this.#bodyLeft -= body.length;
      this.#requestText = this.#requestText.slice(body.length);
      if (this.#batch !== undefined) this.#batchBody(body);
      const end = this.#requestText.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#requestHead(this.#requestText.slice(0, end + 2));
      this.#requestText = this.#requestText.slice(end + 4);
    }
  }

  response(bytes: Uint8Array): void {
    const text = this.#latin1.decode(bytes);
    if (this.#lines !== undefined) return this.#answerLines(text);
    if (!this.#awaiting) return;
    this.#responseText += text;
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(this.#responseText)?.[1];
    const end = this.#responseText.indexOf("\r\n\r\n");
    if (status === undefined || end < 0) return;
    this.#awaiting = false;
    const [head, rest] = [this.#responseText.slice(0, end + 2), this.#responseText.slice(end + 4)];
    this.#responseText = "";
    const streamed = status === "200" &&
      header(head, "content-type")?.startsWith("application/x-ndjson") === true;
    if (!streamed) return [...this.#open.keys()].forEach((key) => this.#answer(key, Number(status)));
    this.#lines = new ChunkedLines();
    this.#answerLines(rest);
  }

  /** The connection is gone. */
  end(): void {
    for (const key of [...this.#open.keys()]) this.#answer(key, undefined);
  }

  #requestHead(head: string): void {
    if (/^transfer-encoding:/im.test(head)) {
      throw new Error(`the proxy cannot follow a chunked request:\n${head}`);
    }
    // What the last answer left open got no line.
    this.end();
    this.#lines = undefined;
    this.#bodyLeft = Number(header(head, "content-length") ?? 0);
    this.#awaiting = true;
    if (head.startsWith(`POST ${BATCH_PATH} `)) this.#batch = "";
    const key = header(head, RequestHeader.idempotencyKey);
    if (head.startsWith(`POST ${CLASSIFY_PATH} `) && key !== undefined) this.#open.set(key, this.#sent(key));
  }

  #batchBody(text: string): void {
    this.#batch += text;
    if (this.#bodyLeft > 0) return;
    for (const line of (this.#batch ?? "").split("\n").filter((each) => each !== "")) {
      const key = String(JSON.parse(line).key);
      this.#open.set(key, this.#sent(key));
    }
    this.#batch = undefined;
  }

  #answerLines(text: string): void {
    for (const line of this.#lines?.push(text) ?? []) {
      const { key, status } = JSON.parse(line);
      this.#answer(String(key), Number(status));
    }
  }

  #answer(key: string, status: number | undefined): void {
    this.#open.get(key)?.(status);
    this.#open.delete(key);
  }
}

/** The lines of a chunked body (RFC 9112 section 7.1). */
class ChunkedLines {
  #text = "";
  #body = "";
  #left = 0;

  push(text: string): string[] {
    this.#text += text;
    while (this.#text !== "") {
      const piece = this.#text.slice(0, this.#left);
      this.#body += piece;
      this.#left -= piece.length;
      this.#text = this.#text.slice(piece.length);
      if (this.#left > 0) break;
      const size = /^(?:\r\n)?([0-9a-f]+)[^\r]*\r\n/i.exec(this.#text);
      if (size === null) break;
      this.#left = parseInt(size[1] ?? "0", 16);
      this.#text = this.#text.slice(size[0].length);
    }
    const lines = this.#body.split("\n");
    this.#body = lines.pop() ?? "";
    return lines.filter((line) => line !== "");
  }
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*?)\\r$`, "im").exec(head)?.[1];
}
