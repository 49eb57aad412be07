// The local model as a process of its own: trains, then serves `/v1/chat/completions` on PORT until SIGTERM.

import type { Program } from "../../shared/process/command_line.ts";
import { configureLogs, logger } from "../../shared/log.ts";
import { flagsOrExit } from "../../shared/process/main.ts";
import { createModelApp } from "./app.ts";
import { batchingEmbedder } from "./embedding/batching_embedder.ts";
import { openEmbedder } from "./embedding/embedder.ts";
import { trainModel } from "./training/train_model.ts";

const MODEL: Program = {
  task: "model",
  usage: "The local model: trains on the project's own tickets, then serves OpenAI's protocol under /v1.",
  examples: [["model", "PORT is 8090, LISTEN_ADDRESS 127.0.0.1"]],
};
const CACHE_FOLDER = new URL("../../.ackpool/model/", import.meta.url);

flagsOrExit(MODEL, { args: Deno.args, options: {} });
configureLogs({ level: "info", format: Deno.env.get("LOG_FORMAT") === "pretty" ? "pretty" : "json" });
const log = logger("model");

const stop = new AbortController();
let serving = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => {
    if (!serving) Deno.exit(0);
    stop.abort();
  });
}
const port = Number(Deno.env.get("PORT") ?? 8090);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  log.error("refused to start", {
    reason: `PORT is not a whole number up to 65535: current value is "${Deno.env.get("PORT")}"`,
  });
  Deno.exit(2);
}

const startedMs = performance.now();
log.info("training", { embedded: 0 });
const embedder = batchingEmbedder(await openEmbedder());
const model = await trainModel({
  embedder,
  cacheFolder: CACHE_FOLDER,
  onProgress: (embedded, total) => log.info("training", { embedded, total }),
});

const app = createModelApp({ model, now: Date.now, newId: () => crypto.randomUUID() });
serving = true;
const server = serve();
await server.finished;
log.info("stopped");
Deno.exit(0);

function serve(): Deno.HttpServer {
  try {
    return Deno.serve({
      port,
      hostname: Deno.env.get("LISTEN_ADDRESS") || "127.0.0.1",
      signal: stop.signal,
      onListen: (address) =>
        log.info("listening", {
          port: address.port,
          url: `http://127.0.0.1:${address.port}/v1`,
          model: model.fingerprint,
          tookMs: Math.round(performance.now() - startedMs),
        }),
    }, app.fetch);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    log.error("refused to start", {
      reason: `PORT ${port} is in use: stop what listens there or set another PORT`,
    });
    Deno.exit(2);
  }
}
