import assert from "node:assert/strict";

const STOP_SIGNALS_URL = import.meta.resolve("../../../../shared/process/stop_signals.ts");

Deno.test("onStopSignal() takes the two signals of a terminal's Ctrl-C for one, and a later one for a second", async () => {
  const script = (stopsWithinMs: number) =>
    `import { onStopSignal } from ${JSON.stringify(STOP_SIGNALS_URL)};
    const alive = setInterval(() => {}, 1000);
    onStopSignal(() => setTimeout(() => { clearInterval(alive); Deno.exit(0); }, ${stopsWithinMs}));
    console.log("ready");`;
  const run = async (stopsWithinMs: number, pauseMs: number) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", script(stopsWithinMs)],
      stdout: "piped",
    }).spawn();
    const heard = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await heard.read()).value ?? "", /ready/);
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    child.kill("SIGINT");
    const { code } = await child.status;
    await heard.cancel();
    return code;
  };
  assert.equal(await run(1000, 20), 0);
  assert.equal(await run(60_000, 1000), 130);
});
