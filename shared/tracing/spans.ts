// Spans through Deno's own OpenTelemetry (OTEL_DENO=true), which needs no rights; where it is off, each call is one branch.

import {
  type Context,
  context,
  createContextKey,
  type Link,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { Attribute, type SpanAttributes } from "./semantic_conventions.ts";

/** Whether there are traces: Deno puts a provider of its own in place before the program begins, or none at all. */
export const TRACES = !(trace.getTracerProvider() instanceof ProxyTracerProvider);
const tracer = trace.getTracer("ackpool");
/** The other spans that a shared piece of work is done for. */
const LINKS = createContextKey("ackpool links");

/** What a span is about. */
export interface SpanDescription {
  readonly name: string;
  readonly kind: "client" | "server" | "consumer";
  readonly attributes: SpanAttributes;
  /** W3C Trace Context of whoever asked; without one the span belongs to what is going on. */
  readonly traceparent?: string | undefined;
}

/** A span at work. */
export interface OpenSpan {
  /** For whoever is asked to do a part of it. */
  readonly traceparent: string | undefined;
  readonly set: (attributes: SpanAttributes) => void;
  /** It came to nothing. @param type a word of few, never a message. */
  readonly fail: (type: string) => void;
}

/** What some work belongs to; undefined where nothing is traced. */
export type TraceContext = Context | undefined;

const SILENT: OpenSpan = { traceparent: undefined, set: () => {}, fail: () => {} };
const KINDS = { client: SpanKind.CLIENT, server: SpanKind.SERVER, consumer: SpanKind.CONSUMER };

/** Does `work` within a span. An error is told by its name alone: messages may quote anything. */
export function traced<T>(
  describe: () => SpanDescription,
  work: (span: OpenSpan) => Promise<T>,
): Promise<T> {
  return TRACES ? inSpan(describe(), work) : work(SILENT);
}

/** As {@link traced}, but only as a part of something that is traced: upkeep by the clock makes no traces of its own. */
export function tracedPart<T>(
  describe: () => SpanDescription,
  work: (span: OpenSpan) => Promise<T>,
): Promise<T> {
  return TRACES && trace.getSpan(context.active()) !== undefined ? inSpan(describe(), work) : work(SILENT);
}

/** Says of the request that is being answered which route it takes, since Deno's span cannot know. */
export function nameRequest(method: string, route: string): void {
  if (!TRACES) return;
  trace.getActiveSpan()?.updateName(`${method} ${route}`).setAttribute(Attribute.httpRoute, route);
}

/** What is going on, to be given to {@link doneFor} later. */
export function currentContext(): TraceContext {
  return TRACES ? context.active() : undefined;
}

/** Does work that several asked for: its spans belong to the first and are linked to the others. */
export function doneFor<T>(origins: readonly TraceContext[], work: () => T): T {
  const [first, ...others] = TRACES ? origins.filter((origin) => origin !== undefined) : [];
  return first === undefined ? work() : context.with(first.setValue(LINKS, others.flatMap(linkTo)), work);
}

function inSpan<T>(description: SpanDescription, work: (span: OpenSpan) => Promise<T>): Promise<T> {
  const { name, kind, attributes, traceparent } = description;
  const active = context.active();
  const asked = traceparent === undefined ? undefined : propagation.extract(ROOT_CONTEXT, { traceparent });
  const links = [
    ...active.getValue(LINKS) as readonly Link[] | undefined ?? [],
    ...asked === undefined ? [] : linkTo(active),
  ];
  const parent = (asked ?? active).deleteValue(LINKS);
  return tracer.startActiveSpan(name, { kind: KINDS[kind], attributes, links }, parent, async (span) => {
    try {
      return await work(openSpan(span));
    } catch (error) {
      fail(span, error instanceof Error ? error.name : "Error");
      throw error;
    } finally {
      span.end();
    }
  });
}

function openSpan(span: Span): OpenSpan {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return {
    traceparent: carrier.traceparent,
    set: (attributes) => span.setAttributes(attributes),
    fail: (type) => fail(span, type),
  };
}

function fail(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(Attribute.errorType, type);
}

function linkTo(origin: Context): Link[] {
  const spanContext = trace.getSpanContext(origin);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}
