// What the image holds, without a container engine: the Dockerfile's own steps in a folder, and programs run from it.

import { confinedCommand, type Confinement } from "../processes/confinement.ts";
import { dockerfile } from "./deploy_files.ts";
import { run } from "./deploy_tools.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** The user of the Dockerfile. */
const USER = "65532";

/** A stage of the Dockerfile as a folder. */
export interface ImageFolder {
  readonly app: string;
  readonly denoDir: string;
}

/**
 * Does what the stage does that runs `install.sh` for a program: copies what it copies, runs what it runs.
 *
 * @param folder an empty one, which everyone may read.
 */
export async function buildImageFolder(folder: string, program: string): Promise<ImageFolder> {
  const [app, denoDir] = [`${folder}/app`, `${folder}/deno-dir`];
  const steps = dockerfile();
  const install = steps.findIndex(({ name, rest }) => name === "RUN" && rest.includes(` ${program}`));
  const stage = steps.slice(0, install).findLastIndex(({ name }) => name === "FROM");
  const first = steps.findIndex(({ name, rest }) => name === "FROM" && rest.endsWith(" AS source"));
  const firstEnd = steps.findIndex(({ name }, at) => name === "FROM" && at > first);
  const copies = [...steps.slice(first, firstEnd), ...steps.slice(stage, install)];
  for (const { rest } of copies.filter(({ name }) => name === "COPY")) {
    const words = rest.split(" ");
    await copy(words.slice(0, -1), `${app}/${words.at(-1)?.replace("./", "")}`);
  }
  const installed = await run(["sh", "-c", steps[install]?.rest ?? ""], {
    cwd: app,
    env: { DENO_DIR: denoDir },
  });
  if (installed.code !== 0) throw new Error(`install.sh failed with ${installed.code}:\n${installed.output}`);
  return { app, denoDir };
}

/** The command that runs a program as the container does: another user, nothing writable, no environment but this. */
export function confined(
  { app, denoDir }: ImageFolder,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
  more: Pick<Confinement, "resolvConf"> = {},
): readonly string[] {
  // Nothing may be fetched when a program starts, so the way to the registry leads nowhere.
  const always = {
    PATH: Deno.env.get("PATH") ?? "",
    HOME: "/nonexistent",
    DENO_DIR: denoDir,
    HTTPS_PROXY: "http://127.0.0.1:1",
  };
  return confinedCommand({ ...more, user: USER, cwd: app, env: { ...always, ...env } }, command);
}

async function copy(paths: readonly string[], target: string): Promise<void> {
  await Deno.mkdir(target.endsWith("/") ? target : target.slice(0, target.lastIndexOf("/")), {
    recursive: true,
  });
  const { code, output } = await run(["cp", "-r", ...paths.map((path) => ROOT + path), target]);
  if (code !== 0) throw new Error(output);
}
