// Assets of the operator's page: its scripts, and the packages that they use.

import idiomorph from "idiomorph/dist/idiomorph.esm.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import actions from "./assets/actions.js" with { type: "text" };
import chart from "./assets/chart.js" with { type: "text" };
import page from "./assets/page.js" with { type: "text" };

/** Texts by file name. */
export const PAGE_ASSETS: Readonly<Record<string, string>> = {
  "actions.js": actions,
  "chart.js": chart,
  "idiomorph.js": idiomorph,
  "page.js": page,
  "uplot.css": uplotCss,
  "uplot.js": uplot,
};
