// `deno task pause`, `resume`, `rate` and `pool`: a hand on the flow of a running group.

import { parseFlags } from "../../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../../shared/process/main.ts";
import type { FlowJson } from "../../flow/flow_json.ts";
import { AdminClient, type Asked } from "../admin_client.ts";
import { environmentOf } from "../kafka_connection.ts";
import { print, printError } from "../terminal.ts";
import { PAUSE, POOL, RATE, requestOf, RESUME } from "./flow_arguments.ts";
import { flowAsText } from "./flow_text.ts";

/** The task says which of them it is, as the first word. */
const PROGRAM = [PAUSE, RESUME, RATE, POOL].find(({ task }) => task === Deno.args[0]) ?? PAUSE;

async function main(): Promise<number> {
  const { values: { admin, by, json }, positionals: [task = "", ...words] } = parseFlags({
    args: Deno.args,
    options: PROGRAM.options,
    allowPositionals: true,
  });
  const { path, body } = requestOf(task, words);
  const client = new AdminClient(await environmentOf((name) => Deno.env.get(name)), admin);
  const asked = body === undefined
    ? await client.first(path)
    : await client.post(path, by === undefined ? body : { ...body, by });
  return show(asked, json);
}

function show(asked: Asked, json: boolean): number {
  if (asked.kind === "refused") {
    printError(asked.answers.join("\n"));
    return EXIT.failed;
  }
  const flow = asked.body as unknown as FlowJson;
  print(json ? JSON.stringify(flow, null, 2) : flowAsText(flow));
  return EXIT.ok;
}

if (import.meta.main) await runMain(main, PROGRAM);
