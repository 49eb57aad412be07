// `deno task why`: asks running consumers what they wait for, and prints one sentence and eleven checks.

import type { Environment } from "../../../shared/config/read.ts";
import { parseFlags } from "../../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../../shared/process/main.ts";
import { StartError } from "../../../shared/process/start_error.ts";
import { onStopSignal } from "../../../shared/process/stop_signals.ts";
import { pause } from "../../../shared/wait.ts";
import type { WhyJson } from "../../core/why/why.ts";
import { AdminClient, type Asked } from "../admin_client.ts";
import { environmentOf } from "../kafka_connection.ts";
import { clearScreen, print } from "../terminal.ts";
import { WHY } from "./why_arguments.ts";
import { whyAsText } from "./why_text.ts";

const WATCH_EVERY_MS = 2000;

async function main(): Promise<number> {
  const { values } = parseFlags({ args: Deno.args, options: WHY.options });
  const env: Environment = await environmentOf((name) => Deno.env.get(name));
  const client = new AdminClient(env, values.admin);
  const stopping = new AbortController();
  onStopSignal(() => stopping.abort(new StartError("Stopped.")));
  for (;;) {
    const code = show(await client.all("/why"), values);
    if (!values.watch) return code;
    await pause(WATCH_EVERY_MS, stopping.signal).catch(() => {});
    if (stopping.signal.aborted) return EXIT.ok;
  }
}

function show(
  asked: readonly Asked[],
  { json, watch }: { readonly json: boolean; readonly watch: boolean },
): number {
  const answers = asked.flatMap((each) =>
    each.kind === "done" ? [{ by: each.by, answer: each.body as unknown as WhyJson }] : []
  );
  const silent = asked.flatMap((each) => each.kind === "refused" ? each.answers : []);
  if (watch && !json) clearScreen();
  if (json) {
    const body = { consumers: answers.map(({ by, answer }) => ({ by, ...answer })), silent };
    print(watch ? JSON.stringify(body) : JSON.stringify(body, null, 2));
  } else {
    const texts = answers.map(({ by, answer }) => whyAsText(answer, asked.length > 1 ? by : undefined));
    const away = silent.map((each) =>
      `No answer from ${each}. Does a consumer run there? (--admin, ADMIN_PORT)`
    );
    print([...texts, ...away].join("\n\n"));
  }
  if (silent.length > 0) return EXIT.failed;
  return answers.some(({ answer }) => answer.state === "held-up") ? EXIT.heldUp : EXIT.ok;
}

if (import.meta.main) await runMain(main, WHY);
