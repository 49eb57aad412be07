// Assets of the review page.

import review from "./review.js" with { type: "text" };

/** Texts by file name. */
export const REVIEW_ASSETS: Readonly<Record<string, string>> = { "review.js": review };
