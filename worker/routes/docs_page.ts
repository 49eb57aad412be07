// The API's documentation as one HTML page: no script, no font, nothing from the network.

import { html } from "hono/html";
import type { createDocument } from "zod-openapi";

type Document = ReturnType<typeof createDocument>;
type Fragment = ReturnType<typeof html>;

const METHODS = ["get", "post", "put", "delete"] as const;

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  h2 { border-top: 1px solid #ddd; padding-top: 1rem } code, pre { font: 14px/1.4 ui-monospace, monospace }
  pre { background: #f6f6f4; padding: .75rem; overflow-x: auto } table { border-collapse: collapse; width: 100% }
  td { border-top: 1px solid #eee; padding: .3rem .6rem .3rem 0; vertical-align: top } .method { color: #06c }
  @media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd } pre { background: #222 }
    h2, td { border-color: #333 } .method { color: #6bf } a { color: #6bf } }
`;

/** Renders the document. Everything in it is escaped. */
export function documentPage(document: Document): Fragment {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item?.[method];
      return operation === undefined ? [] : [{ path, method, operation }];
    })
  );
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${document.info.title}</title>
        <style>${STYLE}</style>
      </head>
      <body>
    <h1>${document.info.title} ${document.info.version}</h1>
    <p>${document.info.description} For programs: <a href="openapi.json">openapi.json</a>.</p>
    <ul>${operations.map(({ path, method, operation }) =>
      html`<li><a href="#${operation.operationId}"><code>${method.toUpperCase()} ${path}</code></a> ${operation.summary}</li>`
    )}
    </ul>
    ${operations.map(({ path, method, operation }) => section(path, method, operation))}
    <h2>Schemas</h2>
    ${Object.entries(document.components?.schemas ?? {}).map(([name, schema]) =>
      html`
        <h3 id="schema-${name}"><code>${name}</code></h3>
        <pre>${pretty(schema)}</pre>
      `
    )}
      </body>
    </html>
  `;
}

type Operation = NonNullable<NonNullable<NonNullable<Document["paths"]>[string]>["get"]>;

function section(path: string, method: string, operation: Operation): Fragment {
  const media = operation.requestBody !== undefined && "content" in operation.requestBody
    ? operation.requestBody.content["application/json"]
    : undefined;
  const body = media !== undefined && "schema" in media ? media.schema : undefined;
  const parameters = operation.parameters ?? [];
  return html`<h2 id="${operation.operationId}"><code><span class="method">${method.toUpperCase()}</span> ${path}</code></h2>
<p>${operation.summary}. ${operation.description}</p>
${
    parameters.length === 0 ? "" : html`
      <h3>Parameters</h3>
      <pre>${pretty(parameters)}</pre>
    `
  }
${
    body === undefined ? "" : html`
      <h3>Body</h3>
      <pre>${pretty(body)}</pre>
    `
  }
<table>${
    Object.entries(operation.responses ?? {}).map(([status, response]) =>
      html`
        <tr>
          <td><code>${status}</code></td>
          <td>${"description" in response ? response.description : ""}</td>
        </tr>
      `
    )
  }
</table>`;
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
