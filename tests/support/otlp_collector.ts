// Collector of traces for tests: OTLP/HTTP in JSON, what Deno's exporter sends.

import { until } from "./until.ts";

/** A span as tests look at it. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where it has none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string | undefined;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

type SentAttribute = {
  key: string;
  value: { stringValue?: string; intValue?: string; doubleValue?: number };
};
type SentSpan = Omit<Span, "kind" | "attributes"> & { kind: number; attributes: SentAttribute[] };
type Sent = { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] };

const KINDS = [undefined, "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

/** Takes what is sent to it. */
export class OtlpCollector implements AsyncDisposable {
  /** Bodies as they came. */
  readonly received: string[] = [];
  readonly #server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    this.received.push(await request.text());
    return Response.json({});
  });

  /** What makes a program send its traces here. */
  environment(service: string): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: service,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    };
  }

  get spans(): readonly Span[] {
    return this.received.flatMap((body) => (JSON.parse(body) as Sent).resourceSpans ?? [])
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).map(spanOf);
  }

  /** Waits until these spans have come. */
  async untilSpans(what: string, fits: (spans: readonly Span[]) => boolean): Promise<readonly Span[]> {
    return await until(what, () => fits(this.spans) ? this.spans : undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function spanOf(sent: SentSpan): Span {
  return {
    ...sent,
    kind: KINDS[sent.kind],
    attributes: Object.fromEntries(sent.attributes.map(({ key, value }) => [key, valueOf(value)])),
  };
}

function valueOf({ stringValue, intValue, doubleValue }: SentAttribute["value"]): string | number {
  return stringValue ?? doubleValue ?? Number(intValue);
}
