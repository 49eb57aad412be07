// The OpenAPI 3.1 document, made from the same zod schemas that check the requests.

import { createDocument, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Route } from "./http/route.ts";

const TOKEN = "workerToken";

/** Describes the routes; `version` is the API's. */
export function openApiDocument(
  routes: readonly Route[],
  version: string,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const { method, path, open, operation } of routes) {
    const template = path.replaceAll(/:(\w+)/g, "{$1}");
    paths[template] = {
      ...paths[template],
      [method.toLowerCase()]: { ...operation, security: open ? [] : [{ [TOKEN]: [] }, {}] },
    };
  }
  return createDocument({
    openapi: "3.1.1",
    info: {
      title: "Ackpool worker",
      version,
      description: "Classifies support tickets with an LLM. The HTTP status is the acknowledgement.",
      license: { name: "MIT", identifier: "MIT" },
    },
    paths,
    components: {
      securitySchemes: {
        [TOKEN]: { type: "http", scheme: "bearer", description: "`WORKER_TOKEN`, where one is set" },
      },
    },
  });
}
