// `deno task tail`: follows what consumers decide about records, live.

import { parseFlags } from "../../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../../shared/process/main.ts";
import { StartError } from "../../../shared/process/start_error.ts";
import { onStopSignal } from "../../../shared/process/stop_signals.ts";
import type { Decision } from "../../records/decision.ts";
import { AdminClient } from "../admin_client.ts";
import { environmentOf } from "../kafka_connection.ts";
import { print, printError } from "../terminal.ts";
import { TAIL } from "./tail_arguments.ts";
import { decisionAsText, EventLines, type TailEvent } from "./tail_text.ts";

async function main(): Promise<number> {
  const { values: { admin, json, ...filter } } = parseFlags({ args: Deno.args, options: TAIL.options });
  const client = new AdminClient(await environmentOf((name) => Deno.env.get(name)), admin);
  const stopping = new AbortController();
  onStopSignal(() => stopping.abort(new StartError("Stopped.")));
  const given = Object.entries(filter).filter((each): each is [string, string] => each[1] !== undefined);
  const path = `/tail?${new URLSearchParams(given)}`;
  try {
    await Promise.all(client.admins.map(async (base) => {
      const lines = new EventLines();
      for await (const text of client.stream(base, path, stopping.signal)) {
        for (const event of lines.add(text)) show(event, json);
      }
      if (!stopping.signal.aborted) throw new StartError(`The consumer at ${base} has ended`);
    }));
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  return EXIT.ok;
}

function show({ event, data }: TailEvent, json: boolean): void {
  if (event === "decision") print(json ? data : decisionAsText(JSON.parse(data) as Decision));
  if (event === "lost") printError(`${data} lines were left out: more comes than can be shown`);
}

if (import.meta.main) await runMain(main, TAIL);
