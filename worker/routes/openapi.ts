// GET /openapi.json and GET /docs: the API described for programs, and the same for people.

import { z } from "zod";
import { createDocument, type ZodOpenApiPathsObject } from "zod-openapi";
import { problems, type Route } from "../http/route.ts";
import { documentPage } from "./docs_page.ts";

/** `routes` are all the others; these two are described along with them. */
export function openApiRoutes(routes: readonly Route[], version: string): readonly Route[] {
  const own: Route[] = [
    {
      method: "GET",
      path: "/openapi.json",
      scope: null,
      operation: {
        operationId: "openapi",
        summary: "This document",
        tags: ["documentation"],
        responses: {
          "200": {
            description: "OpenAPI 3.1",
            content: { "application/json": { schema: z.looseObject({}) } },
          },
          ...problems("internal-error"),
        },
      },
      handle: () => Response.json(document()),
    },
    {
      method: "GET",
      path: "/docs",
      scope: null,
      operation: {
        operationId: "docs",
        summary: "This document as a page",
        tags: ["documentation"],
        responses: {
          "200": { description: "HTML without scripts", content: { "text/html": { schema: z.string() } } },
          ...problems("internal-error"),
        },
      },
      handle: async (context) => {
        context.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'");
        return await context.html(documentPage(document()));
      },
    },
  ];
  let made: ReturnType<typeof openApiDocument> | undefined;
  const document = () => made ??= openApiDocument([...routes, ...own], version);
  return own;
}

const TOKEN = "workerToken";

/** The OpenAPI 3.1 document, made from the same zod schemas that check the requests. */
function openApiDocument(
  routes: readonly Route[],
  version: string,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const { method, path, scope, operation } of routes) {
    const template = path.replaceAll(/:(\w+)/g, "{$1}");
    paths[template] = {
      ...paths[template],
      [method.toLowerCase()]: { ...operation, security: scope === null ? [] : [{ [TOKEN]: [] }, {}] },
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
        [TOKEN]: {
          type: "http",
          scheme: "bearer",
          description: "A token of `INGRESS_TOKEN` or `WORKER_TOKEN`, where they are set",
        },
      },
    },
  });
}
