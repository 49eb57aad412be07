// Names of attributes in spans: OpenTelemetry's semantic conventions 1.45.0, those that we set and no others.

/** The version that {@link Attribute} follows; tests hold the first line to it. */
export const CONVENTIONS_VERSION = "1.45.0";

/** What a span may say. Nothing of a ticket, of a record's key, or of an answer is among them. */
export const Attribute = {
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  httpRoute: "http.route",
  httpMethod: "http.request.method",
  httpResendCount: "http.request.resend_count",
  httpStatus: "http.response.status_code",
  messagingSystem: "messaging.system",
  messagingOperationName: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingDestination: "messaging.destination.name",
  messagingPartition: "messaging.destination.partition.id",
  messagingOffset: "messaging.kafka.offset",
  genAiOperation: "gen_ai.operation.name",
  genAiProvider: "gen_ai.provider.name",
  genAiModel: "gen_ai.request.model",
  genAiInputTokens: "gen_ai.usage.input_tokens",
  genAiOutputTokens: "gen_ai.usage.output_tokens",
  dbSystem: "db.system.name",
  dbNamespace: "db.namespace",
  dbSummary: "db.query.summary",
  dbBatchSize: "db.operation.batch.size",
} as const;

/** A name of the conventions. */
export type AttributeName = (typeof Attribute)[keyof typeof Attribute];

/** Values by name. */
export type SpanAttributes = Partial<Record<AttributeName, string | number>>;
