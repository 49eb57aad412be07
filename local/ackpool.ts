// `./ackpool` itself: the list of commands, the nearest one to a name that is none, and completion for shells.

import tab from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { commandsAsStarted, commandWith, plainWords, UsageError } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { VERSION } from "../shared/version.ts";
import { COMMANDS, WITH_FLAGS } from "./commands.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"];
/** What shows unless all are asked for. */
const EVERYDAY = ["START", "PROGRAM", "OPERATE"];
const NOTES =
  `Each command has its own --help. Answers go to standard output, all else to standard error; --json where a
machine reads; NO_COLOR is honoured. deno task COMMAND is the same.

Examples:
  deno task start                      everything on this machine
  deno task produce tickets.csv --insert
  deno task lag --watch
  deno task help dlq
  source <(deno task completion bash)  completes commands and flags

Exit codes:
  0    done
  1    it failed, or found what is wrong
  2    the command line or the environment cannot be used
  3    something holds a consumer up (why)
  130  interrupted`;

function main(): number {
  const root = program(Deno.args.includes("--all"));
  const completion = tab(root, { completionCommandName: "completion" });
  const [name, shell = ""] = Deno.args;
  switch (name) {
    case "completion":
      if (!SHELLS.includes(shell)) throw new UsageError(`completion takes one of ${SHELLS.join(", ")}`);
      completion.setup("ackpool", commandName(), shell);
      return EXIT.ok;
    case "complete":
      completion.parse(Deno.args.slice(Deno.args.indexOf("--") + 1));
      return EXIT.ok;
    case undefined:
    case "help":
    case "--all":
      print(helpOf(root));
      return EXIT.ok;
    default:
      return refuse(root);
  }
}

/** What comes here is no command. */
function refuse(root: Command): number {
  try {
    root.parse(Deno.args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    throw error instanceof CommanderError ? new UsageError(plainWords(error)) : error;
  }
}

/** @param all the tests and measurements, too. */
function program(all: boolean): Command {
  const root = commandWith({}).name(commandName()).usage("COMMAND [options]")
    .description("Reads records from Kafka and pushes each one over HTTP to a pool of workers.")
    .version(VERSION, "--version", "shows the version").helpOption("-h, --help", "shows this").helpCommand(
      false,
    )
    .option("--all", "shows tests and measurements, too");
  for (const { name, group, about } of COMMANDS) {
    const flags = WITH_FLAGS.find(({ task }) => task === name)?.options ?? {};
    const command = commandWith(flags).name(name).usage("").description(about).helpGroup(`${group}:`);
    root.addCommand(command, { hidden: !all && !EVERYDAY.includes(group) });
  }
  return root;
}

function helpOf(root: Command): string {
  return `${root.helpInformation().trim()}\n\n${NOTES}\n`;
}

function commandName(): string {
  return Deno.env.get("ACKPOOL_COMMAND") || "deno task ackpool";
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(commandsAsStarted(text)));
}

if (import.meta.main) {
  const help = () => helpOf(program(Deno.args.includes("--all")));
  await runMain(main, { task: "ackpool", usage: "", takesArguments: true, help });
}
