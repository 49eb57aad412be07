// `deno task deploy:run`: compose.yaml's services as processes on a network of their own, without a container engine.
// Linux and root. Prepares, then runs itself again inside fresh namespaces, with which everything ends.

import { print, progress } from "../../chaos/stage/report.ts";
import { flagsOf } from "../../support/test_command.ts";
import { inherited } from "../../support/processes/process.ts";
import { check } from "./check.ts";
import { composeServices } from "./compose_config.ts";
import { prepareImages } from "./images.ts";

/** Network, mounts and processes of our own; the kernel ends all of them with us. */
const FRESH = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

const report = progress();
flagsOf(
  "deploy:run",
  "compose.yaml's services as processes, without a container engine. Linux and root.",
  {},
  true,
);
const [inside] = Deno.args;
Deno.exit(inside === undefined ? await outside() : await within(inside));

async function outside(): Promise<number> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    print("deploy:run makes network namespaces: it needs Linux and root\n");
    return 1;
  }
  const folder = await Deno.makeTempDir({ prefix: "ackpool-deploy-" });
  try {
    await Deno.chmod(folder, 0o755);
    const prepared = { services: await composeServices(), images: await prepareImages(folder, report) };
    await Deno.writeTextFile(`${folder}/prepared.json`, JSON.stringify(prepared));
    report("starting the services");
    const self = [Deno.execPath(), "run", "-A", import.meta.filename ?? "", folder];
    const args = ["--pdeathsig", "KILL", "unshare", ...FRESH, ...self];
    const child = new Deno.Command("setpriv", { args, clearEnv: true, env: inherited() }).spawn();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => child.kill("SIGKILL"));
    }
    return (await child.status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function within(folder: string): Promise<number> {
  try {
    const prepared = JSON.parse(await Deno.readTextFile(`${folder}/prepared.json`));
    await check({ ...prepared, folder, report });
    print("compose.yaml's services do what they should\n");
    return 0;
  } catch (error) {
    report(error instanceof Error ? `${error.stack ?? error.message}` : String(error));
    return 1;
  }
}
