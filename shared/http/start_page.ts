// The page at `/` of each program: what it is, and where to go from there. HTML without scripts.

/** A path as people call it, and what it answers; only `GET` paths without a parameter are links. */
export type Entry = readonly [call: string, about: string];

const STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}" +
  "td{padding:.15rem 1.5rem .15rem 0;vertical-align:top}code{white-space:nowrap}";

/** The page of a program. */
export function startPage(title: string, about: string, entries: readonly Entry[]): Response {
  const rows = entries.map(([call, what]) => `<tr><td>${callOf(call)}</td><td>${escaped(what)}</td></tr>`)
    .join("");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>` +
    `<style>${STYLE}</style><h1>${escaped(title)}</h1><p>${
      escaped(about)
    }</p><table>${rows}</table></html>\n`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}

function callOf(call: string): string {
  const [method, path = call] = call.split(" ");
  const code = `<code>${escaped(call)}</code>`;
  return method === "GET" && !path.includes("{") ? `<a href="${escaped(path)}">${code}</a>` : code;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
