// `docker compose config` takes compose.yaml, on machines with a key, with another provider and with neither.

import assert from "node:assert/strict";
import { dockerCompose, run } from "../support/images/deploy_tools.ts";

const HOSTED = "https://api.openai.com/v1";
const ELSEWHERE = "http://vllm.example:8000/v1";

/** The environment of a worker, by what is set on the machine. */
const CASES: readonly { readonly env: Record<string, string>; readonly baseUrl: string }[] = [
  { env: {}, baseUrl: "http://model:8090/v1" },
  { env: { OPENAI_API_KEY: "a-key" }, baseUrl: HOSTED },
  { env: { OPENAI_BASE_URL: ELSEWHERE }, baseUrl: ELSEWHERE },
  { env: { OPENAI_API_KEY: "a-key", OPENAI_BASE_URL: ELSEWHERE }, baseUrl: ELSEWHERE },
];

Deno.test("docker compose takes compose.yaml and gives the workers the provider that was asked for", async () => {
  const compose = await dockerCompose();
  for (const { env, baseUrl } of CASES) {
    const services = await configOf(compose, env);
    assert.equal(services["worker"]?.environment["OPENAI_BASE_URL"], baseUrl);
    assert.equal(services["worker"]?.environment["OPENAI_API_KEY"] ?? undefined, env["OPENAI_API_KEY"]);
  }
});

Deno.test("docker compose knows every service with all profiles on", async () => {
  const services = await configOf(await dockerCompose(), {}, ["--profile", "*"]);
  assert.equal(Object.keys(services).length, 11);
});

interface Service {
  readonly environment: Readonly<Record<string, string | null>>;
}

async function configOf(
  compose: readonly string[],
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<Readonly<Record<string, Service>>> {
  const { PATH = "", HOME = "" } = Deno.env.toObject();
  const command = [...compose, ...flags, "config", "--format", "json"];
  const { code, stdout, output } = await run(command, { clearEnv: true, env: { PATH, HOME, ...env } });
  assert.equal(code, 0, output);
  return JSON.parse(stdout).services;
}
