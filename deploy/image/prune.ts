// Writes deno.json anew for an image that runs the programs named on the command line and nothing else.

import { type DenoJson, imageDenoJson } from "./needed.ts";

const DENO_JSON = "deno.json";
const denoJson = JSON.parse(Deno.readTextFileSync(DENO_JSON)) as DenoJson;
const pruned = imageDenoJson(denoJson, Deno.args, (path) => Deno.readTextFileSync(path));
Deno.writeTextFileSync(DENO_JSON, `${JSON.stringify(pruned, null, 2)}\n`);
