// Patches of undici: what it knows of a connection and of a broken answer, and does not tell.

import { subscribe } from "node:diagnostics_channel";

/** Wants to know whether its request went out over a connection that had served others before. */
export interface ReuseListener {
  onConnection(reused: boolean): void;
}

/** undici's HTTP/1 parser, as far as it is used here. */
interface Parser {
  readonly ptr: number;
  readonly llhttp: {
    llhttp_set_lenient_chunked_length(ptr: number, on: 0 | 1): void;
    llhttp_set_lenient_optional_cr_before_lf(ptr: number, on: 0 | 1): void;
    llhttp_get_status_code(ptr: number): number;
  };
  createError(code: number, data: Uint8Array): Error & { statusCode?: number };
  onHeadersComplete(status: number, upgrade: boolean, keepAlive: boolean): number;
}

const used = new WeakSet<object>();
let starting: ReuseListener | undefined;
let patched = false;

/** To be called from `onRequestStart`: undici says in the same turn over which socket the request goes. */
export function listenForReuse(listener: ReuseListener): void {
  starting = listener;
}

/** The status in an answer that could not be read to the end of its headers; undefined where not even that came. */
export function statusOf(error: Error & { statusCode?: number }): number | undefined {
  const { statusCode = 0 } = error;
  return statusCode >= 200 && statusCode <= 599 ? statusCode : undefined;
}

subscribe("undici:client:sendHeaders", (message) => {
  const { socket } = message as { socket: object };
  const reused = used.has(socket);
  if (!reused) {
    used.add(socket);
    makeLenient(socket);
  }
  starting?.onConnection(reused);
  starting = undefined;
});

/**
 * An answer with both a length and chunks is read by its chunks, and a bare line feed ends a line: RFC 9112 sections 6.3
 * and 2.2. A `100 Continue` that nobody asked
 * for is passed over as other interim answers are: RFC 9110 section 15.2.
 */
function makeLenient(socket: object): void {
  const parser = parserOf(socket);
  if (parser === undefined) return;
  parser.llhttp.llhttp_set_lenient_chunked_length(parser.ptr, 1);
  parser.llhttp.llhttp_set_lenient_optional_cr_before_lf(parser.ptr, 1);
  if (patched) return;
  patched = true;
  const prototype: Parser = Object.getPrototypeOf(parser);
  const { createError, onHeadersComplete } = prototype;
  prototype.onHeadersComplete = function (this: Parser, status, upgrade, keepAlive) {
    return onHeadersComplete.call(this, status === 100 ? 102 : status, upgrade, keepAlive);
  };
  prototype.createError = function (this: Parser, code, data) {
    const error = createError.call(this, code, data);
    error.statusCode = this.llhttp.llhttp_get_status_code(this.ptr);
    return error;
  };
}

function parserOf(socket: object): Parser | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser");
  return key && (socket as Record<symbol, Parser | undefined>)[key];
}
