// Assets: what the page's HTML asks for besides, all of it from here. Read when the program starts, so no file is served.

import idiomorph from "idiomorph/dist/idiomorph.esm.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import { Hono } from "hono";
import actions from "./assets/actions.js" with { type: "text" };
import chart from "./assets/chart.js" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import css from "./assets/page.css" with { type: "text" };
import page from "./assets/page.js" with { type: "text" };
import { notFoundPage } from "./headers.ts";

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

const ASSETS: Readonly<Record<string, readonly [text: string, type: string]>> = {
  "actions.js": [actions, SCRIPT],
  "chart.js": [chart, SCRIPT],
  "icon.svg": [icon, "image/svg+xml"],
  "idiomorph.js": [idiomorph, SCRIPT],
  "page.css": [css, STYLE],
  "page.js": [page, SCRIPT],
  "uplot.css": [uplotCss, STYLE],
  "uplot.js": [uplot, SCRIPT],
};

/** They hold nothing of anybody's, so everybody may read them. */
export function assetRoutes(): Hono {
  return new Hono().get("/:name", (c) => {
    const asset = Object.hasOwn(ASSETS, c.req.param("name")) ? ASSETS[c.req.param("name")] : undefined;
    if (asset === undefined) return notFoundPage(c);
    // Asked for again each minute: a new release changes them.
    return c.body(asset[0], 200, { "content-type": asset[1], "cache-control": "private, max-age=60" });
  });
}
