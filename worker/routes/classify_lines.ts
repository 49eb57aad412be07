// Streamed batches of POST /classify/batch: a record a line in, an answer a line out, each the moment it is known.

import {
  BATCH_LINES_MAX,
  type BatchRecord,
  NDJSON,
  readRecordLine,
  writeAnswerLine,
} from "../../shared/contract/batch_lines.ts";
import { CLASSIFY_PATH, RequestHeader } from "../../shared/contract/protocol.ts";
import { LineSplitter } from "../../shared/http/line_splitter.ts";
import { Attribute } from "../../shared/tracing/semantic_conventions.ts";
import { traced } from "../../shared/tracing/spans.ts";
import { PROBLEM_CONTENT_TYPE } from "../../shared/http/problem.ts";
import { BODY_MS, parseJson } from "../http/body.ts";
import { problem } from "../http/problems.ts";
import { answerCall, type ClassifyCall, type ClassifyDeps } from "./classify.ts";

/** A line is a body as a JSON string, and what stands around it: so many times the body's limit, and so many bytes. */
const LINE_TIMES = 2;
const LINE_EXTRA_BYTES = 65_536;

/** What the route works with. */
export interface LinesDeps extends ClassifyDeps {
  /** Counts and answers a line as POST /classify does a request of its own. */
  readonly measured: (answer: () => Promise<Response>) => Promise<Response>;
}

/** Answers every line as a request of its own would be. A line without a key cannot be answered and is passed over. */
export function answerLines(deps: LinesDeps, request: Request, delivers: boolean): Response {
  const answers = new AnswerStream();
  const lines = linesOf(request, LINE_TIMES * deps.bodyLimit.bytesMax + LINE_EXTRA_BYTES);
  answers.follow(forEachLine(lines, (text) => {
    const record = readRecordLine(text);
    if (record !== undefined) answers.follow(answerLine(deps, record, request, delivers, answers));
  }));
  return new Response(answers.body, { headers: { "content-type": NDJSON } });
}

async function forEachLine(lines: AsyncIterable<string>, take: (line: string) => void): Promise<void> {
  for await (const line of lines) take(line);
}

/** Those that come in time, up to {@link BATCH_LINES_MAX}: more would be memory that nobody has agreed to. */
async function* linesOf(request: Request, bytesMax: number): AsyncGenerator<string> {
  const splitter = new LineSplitter(bytesMax);
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  const timer = setTimeout(() => reader.cancel().catch(() => {}), BODY_MS);
  try {
    let count = 0;
    for (let done = false; !done;) {
      // A body that is cut off has brought what it has brought.
      const piece = await reader.read().catch(() => ({ done: true, value: undefined }));
      done = piece.done;
      for (const line of piece.value === undefined ? splitter.end() : splitter.push(piece.value)) {
        if (++count > BATCH_LINES_MAX) return;
        yield line;
      }
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
}

async function answerLine(
  deps: LinesDeps,
  record: BatchRecord,
  request: Request,
  delivers: boolean,
  answers: AnswerStream,
): Promise<void> {
  const response = await tracedLine(
    record,
    () => deps.measured(() => answerCall(deps, callOf(deps, record, request), delivers)),
  );
  const { "content-type": contentType, ...headers } = Object.fromEntries(response.headers);
  answers.add(writeAnswerLine({
    key: record.headers[RequestHeader.idempotencyKey] ?? "",
    status: response.status,
    headers,
    problem: contentType === PROBLEM_CONTENT_TYPE ? await response.json() : undefined,
  }));
}

/** In its record's trace, with a link to the request that it shares with others. */
function tracedLine({ headers }: BatchRecord, answer: () => Promise<Response>): Promise<Response> {
  return traced(
    () => ({
      name: `POST ${CLASSIFY_PATH}`,
      kind: "server",
      traceparent: headers[RequestHeader.traceparent],
      attributes: { [Attribute.httpMethod]: "POST", [Attribute.httpRoute]: CLASSIFY_PATH },
    }),
    async ({ set, fail }) => {
      const response = await answer();
      set({ [Attribute.httpStatus]: response.status });
      if (response.status >= 500) fail(String(response.status));
      return response;
    },
  );
}

function callOf({ bodyLimit }: LinesDeps, { headers, body }: BatchRecord, { signal }: Request): ClassifyCall {
  return {
    header: (name) => headers[name],
    signal,
    readBody: () => {
      const { bytesMax } = bodyLimit;
      const bytes = body ?? new Uint8Array();
      return Promise.resolve(
        bytes.length > bytesMax
          ? {
            kind: "problem",
            response: problem("body-too-large", `The value is larger than ${bytesMax} bytes`),
          }
          : parseJson(headers["content-type"] ?? "application/json", bytes),
      );
    },
  };
}

const encoder = new TextEncoder();

/** Answer lines on their way out: those that are ready together leave together. */
class AnswerStream {
  readonly body: ReadableStream<Uint8Array>;
  #lines: string[] = [];
  #open = 0;
  #changed = Promise.withResolvers<void>();

  constructor() {
    this.body = new ReadableStream({ pull: (controller) => this.#pull(controller) }, { highWaterMark: 0 });
  }

  /** The stream ends when all that it follows has ended. */
  follow(work: Promise<void>): void {
    this.#open += 1;
    work.finally(() => {
      this.#open -= 1;
      this.#changed.resolve();
    });
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#changed.resolve();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#lines.length === 0 && this.#open > 0) {
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
    if (this.#lines.length === 0) return controller.close();
    controller.enqueue(encoder.encode(this.#lines.join("")));
    this.#lines = [];
  }
}
