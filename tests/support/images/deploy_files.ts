// The files of deploy/, compose.yaml and the Dockerfile as values, for the tests that hold them against the code.

import { parse, parseAllDocuments } from "yaml";
import { parseConfig as parseConsumer } from "../../../consumer/config.ts";
import { commandOf, type Task } from "../../../shared/deno_task.ts";
import { type Environment, logConfig, readVariables } from "../../../shared/config/read.ts";
import { type VariableName, variables } from "../../../shared/config/variables.ts";
import { parseConfig as parseWorker } from "../../../worker/config.ts";
import { parseIngressConfig } from "../../../worker/ingress/config.ts";

const ROOT = new URL("../../../", import.meta.url);

/** A parsed YAML or JSON value that tests look into; what is not there is undefined. */
// deno-lint-ignore no-explicit-any
export type Parsed = any;

/** The text of a file of the project. */
export function textOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Compose files use merge keys. */
export function yamlOf(path: string): Parsed {
  return parse(textOf(path), { merge: true });
}

/** Every document of a Kubernetes file. */
export function manifestsOf(path: string): readonly Parsed[] {
  return parseAllDocuments(textOf(path)).map((document) => document.toJS());
}

/** The YAML manifests under a folder, without kustomizations. */
export function manifestsUnder(folder: string): readonly Parsed[] {
  const files = [...Deno.readDirSync(new URL(`${folder}/`, ROOT))].map(({ name }) => `${folder}/${name}`);
  return files.filter((path) => path.endsWith(".yaml") && !path.endsWith("kustomization.yaml")).sort()
    .flatMap(manifestsOf);
}

/** An env file: `NAME=value` a line. */
export function envFileOf(path: string): Readonly<Record<string, string>> {
  const lines = textOf(path).split("\n").filter((line) => line.includes("=") && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** The tasks of deno.json. */
export const tasks: Readonly<Record<string, Task>> = JSON.parse(textOf("deno.json")).tasks;

/** Whether Ackpool has a variable of this name. */
export function isVariable(name: string): name is VariableName {
  return Object.hasOwn(variables, name);
}

/** How each program reads its environment. */
const READERS: Readonly<Record<string, (env: Environment) => unknown>> = {
  consumer: parseConsumer,
  drain: parseConsumer,
  worker: parseWorker,
  ingress: parseIngressConfig,
  migrate: (env) =>
    readVariables(["DATABASE_URL", "DATABASE_GRANT_PASSWORD", "TICKETS_TABLE", "TICKETS_COLUMNS"], env),
};

/** Whether a task's program reads a variable. */
export function reads(task: string, name: string): boolean {
  let asked = false;
  const env = (each: string) => {
    asked ||= each === name;
    return STAND_INS[each];
  };
  logConfig(env, false);
  READERS[task]?.(env);
  return asked;
}

/** Whether a task's `--allow-env` lets its program read a variable. */
export function mayRead(task: string, name: string): boolean {
  const patterns = /--allow-env=(\S+)/.exec(commandOf(tasks[task]) ?? "")?.[1]?.split(",") ?? [];
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern
  );
}

/** Values of what has no default, so that all of a reader is run. */
const STAND_INS: Readonly<Record<string, string>> = {
  KAFKA_BROKERS: "127.0.0.1:1",
  WORKER_URL: "http://127.0.0.1:1",
  DATABASE_URL: "postgres://127.0.0.1:1/x",
  OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
};

/** The Dockerfile as its instructions, continued lines joined. */
export function dockerfile(): readonly { readonly name: string; readonly rest: string }[] {
  const joined = textOf("Dockerfile").replace(/\\\n\s*/g, " ");
  return joined.split("\n").filter((line) => /^[A-Z]+ /.test(line)).map((line) => ({
    name: line.slice(0, line.indexOf(" ")),
    rest: line.slice(line.indexOf(" ") + 1),
  }));
}
