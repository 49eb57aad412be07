// Raw requests: what a good client would send, mutated from a seed: lines, fields, lengths, bodies, single bytes.

import { stream } from "../../simulation/random.ts";

/** A request that the server takes. */
export interface GoodRequest {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** One request as bytes, in the pieces it is written in. */
export type RawRequest = readonly Uint8Array[];

/** Choices from a seed alone. */
class Choices {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = stream(seed);
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(of: readonly T[]): T {
    const one = of[this.whole(0, of.length - 1)];
    if (one === undefined) throw new RangeError("Cannot pick from nothing");
    return one;
  }
}

/** A request on its way through the mutations. */
interface Draft {
  line: string;
  fields: string[];
  body: string;
}

type Mutation = (draft: Draft, random: Choices) => void;

const METHODS = ["OPTIONS", "CONNECT", "TRACE", "get", "PATCH", "QUERY", "PRI", "X".repeat(300), "G\tET", ""];
const TARGETS = [
  "*",
  "http://elsewhere.example/",
  "//elsewhere/classify",
  "/../../etc/passwd",
  "/%00",
  "/%",
  "/%zz%ff",
  "/classify/",
  "/classify?a=%ff&a",
  "/tickets/%2e%2e/label",
  "/tickets/99999999999999999999/label",
  "/tickets/1%00",
  "/dead-letters/t/0/9007199254740993",
  "/dead-letters?limit=1e9",
  "/records/a/b/c",
  "/review?limit=-1&after=%f0",
  "elsewhere:443",
  "",
  "/#x",
  "/\u00e9\u{1f600}",
  `/${"a".repeat(9000)}`,
];
const VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 x", "HTTP/9.9", ""];
const FIELDS = [
  "Content-Length: 0",
  "Content-Length: -1",
  "Content-Length: +5",
  "Content-Length: 0x10",
  "Content-Length: 99999999999999999999999",
  "Content-Length: 5, 5",
  "Content-Length: 1048577",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: xchunked",
  "Expect: 100-continue",
  "Expect: 200-maybe",
  "Upgrade: h2c",
  "Upgrade: websocket",
  "Connection: upgrade, HTTP2-Settings, content-length",
  "Connection: keep-alive, close, host",
  "HTTP2-Settings: AAMAAABkAAQ",
  "Host: b",
  "Host: a b",
  "Host:",
  "Host: [::1",
  "Host: a:99999",
  "Content-Type: text/plain",
  'Content-Type: application/json; charset="utf-16"',
  "Content-Type: application/x-ndjson",
  "Content-Encoding: gzip",
  "Authorization: Bearer",
  "Authorization: Basic AAAA",
  "Authorization: Bearer \u00e9\u0001",
  'Idempotency-Key: "t/9999999999/1"',
  'Idempotency-Key: "t/0/9223372036854775808"',
  'Idempotency-Key: "a\\u0000b"',
  `Idempotency-Key: "${"k".repeat(5000)}"`,
  "Ackpool-Timestamp: 1e400",
  "Ackpool-Timestamp: 999999999999999999",
  "Ackpool-Attempt: -1",
  "Ackpool-Deadline: 0",
  "Ackpool-Deadline: 99999999999999999999",
  "Ackpool-Tombstone: true",
  "Traceparent: 00-0-0-0",
  "Accept: application/x-ndjson",
  "Accept-Encoding: gzip;q=nan",
  "Range: bytes=0-1,2-99999999999999999999",
  "X-Forwarded-For: ,,,\u00ff",
  "Origin: null",
  "Sec-Fetch-Site: cross-site",
  "Cookie: a=\u0001",
  ": no name",
  "no colon",
  " folded",
  "X\u0000Y: z",
  "X: a\rb",
  `X: ${"y".repeat(20_000)}`,
];
const BODIES = [
  "",
  "{",
  "null",
  "[]",
  "[".repeat(50_000),
  '{"a":'.repeat(20_000),
  '{"subject":"\\ud800","body":"\\u0000"}',
  '{"subject":"s","body":"b","ticket_id":1e999}',
  '{"subject":"s","body":"b","ticket_id":9223372036854775808}',
  '{"subject":"s","body":"b","ticket_id":-0.5}',
  '{"subject":"s","body":"b","ticket_id":"\\u0000"}',
  '{"subject":"s","subject":1,"body":{}}',
  '{"__proto__":{"x":1},"subject":"s","body":"b"}',
  '{"category":"other","by":"\\u202e"}',
  '{"everything":"yes","max":1e400}',
  '{"filter":{"grep":"","positions":[1]}}',
  "\u00ff\u00fe{}",
  '{"key":"x"}\n\n{"key":"\\"t/0/1\\"","value":1}\n',
  `{"subject":"s","body":"${"b".repeat(70_000)}"}`,
  '5\r\n{"a":\r\nzz\r\n',
  "FFFFFFFFFFFFFFFFF\r\n",
  "0\r\nX: y\r\n\r\n",
];

const replaceWord = (at: number, words: readonly string[]): Mutation => (draft, random) => {
  const parts = draft.line.split(" ");
  parts[at] = random.pick(words);
  draft.line = parts.join(" ");
};

const MUTATIONS: readonly Mutation[] = [
  replaceWord(0, METHODS),
  replaceWord(1, TARGETS),
  replaceWord(2, VERSIONS),
  (draft, random) => void draft.fields.splice(random.whole(0, draft.fields.length), 0, random.pick(FIELDS)),
  (draft, random) => void draft.fields.splice(random.whole(0, draft.fields.length), 0, random.pick(FIELDS)),
  (draft, random) => void draft.fields.splice(random.whole(0, draft.fields.length), 1),
  (draft, random) => void draft.fields.push(...Array(random.whole(1, 200)).fill("X-Many: 1")),
  (draft, random) => {
    draft.body = random.pick(BODIES);
  },
  (draft, random) => {
    draft.body = draft.body.slice(0, random.whole(0, draft.body.length));
  },
  (draft, random) => {
    // Two requests on one connection, or what a smuggler hides behind the first.
    draft.body += `GET ${random.pick(TARGETS)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  },
  (draft) => {
    draft.fields = [
      ...draft.fields.filter((each) => !/^content-length/i.test(each)),
      "Transfer-Encoding: chunked",
    ];
    draft.body = `${draft.body.length.toString(16)}\r\n${draft.body}\r\n0\r\n\r\n`;
  },
];

/** A never-ending row of requests that depends on the seed alone. */
export class RawRequests {
  readonly #random: Choices;
  readonly #good: readonly GoodRequest[];

  constructor(seed: number, good: readonly GoodRequest[]) {
    this.#random = new Choices(seed);
    this.#good = good;
  }

  next(): RawRequest {
    const random = this.#random;
    const { method, path, fields, body } = random.pick(this.#good);
    const lengths = body === "" ? [] : [`Content-Length: ${new TextEncoder().encode(body).length}`];
    const draft: Draft = { line: `${method} ${path} HTTP/1.1`, fields: [...fields, ...lengths], body };
    for (let left = random.whole(0, 4); left > 0; left--) random.pick(MUTATIONS)(draft, random);
    const end = random.chance(0.97) ? "\r\n" : random.pick(["\n", "\r", "\r\n\r\n"]);
    const text = `${[draft.line, ...draft.fields].join(end)}${end}${end}${draft.body}`;
    // Field values are bytes: what is no ASCII goes out as UTF-8 or, by half, as it stands in Latin-1.
    const bytes = random.chance(0.5) ? new TextEncoder().encode(text) : latin1(text);
    if (random.chance(0.2)) this.#flip(bytes);
    return this.#cut(bytes);
  }

  #flip(bytes: Uint8Array): void {
    for (let left = this.#random.whole(1, 5); left > 0 && bytes.length > 0; left--) {
      bytes[this.#random.whole(0, bytes.length - 1)] = this.#random.whole(0, 255);
    }
  }

  /** Whole, in two pieces, or never to its end. */
  #cut(bytes: Uint8Array): RawRequest {
    const random = this.#random;
    const at = random.whole(0, bytes.length);
    if (random.chance(0.05)) return [bytes.subarray(0, at)];
    return random.chance(0.1) ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => (character.codePointAt(0) ?? 0) & 0xff);
}
