// The parts of `deploy:run` that decide something, without running anything.

import assert from "node:assert/strict";
import { durationMs } from "../../deploy/run/compose_config.ts";
import { commandOf, healthCheckOf, type Surroundings } from "../../deploy/run/programs.ts";

const image = { app: "/app", denoDir: "/deno-dir" };
const around: Surroundings = {
  images: {
    ackpool: image,
    local: image,
    kafka: { java: "java", classPath: "" },
    postgres: "/pg",
    prometheus: "",
  },
  folder: "/none",
  resolvConf: "/none/resolv.conf",
};
const worker = {
  image: "ackpool:dev",
  build: { target: "ackpool" },
  entrypoint: null,
  command: ["worker"],
  environment: { PORT: "8000", WORKER_TOKEN: null, OPENAI_MODEL: "it's" },
};

Deno.test("durationMs() reads what compose prints", () => {
  assert.deepEqual(["45s", "1m30s", "500ms", "1.5s"].map(durationMs), [45_000, 90_000, 500, 1_500]);
});

Deno.test("commandOf() runs our images by the Dockerfile's entrypoint, as its user, with the service's environment", () => {
  const script = commandOf(around, worker).at(-1) ?? "";
  assert.match(script, /'deno' 'task' '--quiet' 'worker'$/);
  assert.match(script, /setpriv --reuid 65532 /);
  assert.match(script, /'PORT=8000'.*'OPENAI_MODEL=it'\\''s'/);
  assert.doesNotMatch(script, /WORKER_TOKEN/);
});

Deno.test("healthCheckOf() asks as the Dockerfile says, or compose, or not at all", () => {
  assert.match(
    healthCheckOf(around, worker)?.at(-1) ?? "",
    /healthy\.ts' 'http:\/\/127\.0\.0\.1:8000\/livez'/,
  );
  const postgres = {
    ...worker,
    image: "postgres:17",
    user: "postgres",
    healthcheck: { test: ["CMD", "pg_isready"] },
  };
  const { build: _, ...pulled } = postgres;
  assert.match(healthCheckOf(around, pulled)?.at(-1) ?? "", /'pg_isready'$/);
  assert.equal(healthCheckOf(around, { ...worker, healthcheck: { disable: true } }), undefined);
});

Deno.test("commandOf() says which image nothing stands in for", () => {
  const { build: _, ...grafana } = { ...worker, image: "grafana/grafana:12.1.1" };
  assert.throws(() => commandOf(around, grafana), /no program here stands in for the image grafana/);
});
