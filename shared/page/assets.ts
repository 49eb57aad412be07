// Assets of pages: what their HTML asks for besides. They are read with the program's modules, so no file is served.

import { Hono } from "hono";
import icon from "./icon.svg" with { type: "text" };
import { notFoundPage } from "./headers.ts";
import css from "./page.css" with { type: "text" };

/** Content types by ending. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** They hold nothing of anybody's, so everybody may read them. @param own texts by file name. */
export function assetRoutes(own: Readonly<Record<string, string>>): Hono {
  const assets = new Map(Object.entries({ ...own, "icon.svg": icon, "page.css": css }));
  return new Hono().get("/page/assets/:name", (c) => {
    const name = c.req.param("name");
    const text = assets.get(name);
    if (text === undefined) return notFoundPage(c);
    const type = TYPES[name.split(".").at(-1) ?? ""] ?? "text/plain";
    // Asked for again each minute: a new release changes them.
    return c.body(text, 200, { "content-type": type, "cache-control": "private, max-age=60" });
  });
}
