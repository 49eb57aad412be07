// `deno task dlq` and its siblings as a user runs them, on one scene.

import { startTask } from "../../chaos/stage/tasks.ts";
import type { Scene } from "./consumer_process.ts";
import type { Child } from "./process.ts";

/** How a command ended and what it printed. */
export interface Ran {
  readonly code: number;
  /** Standard output and error, line by line. */
  readonly text: string;
}

/** Starts a task with arguments. `await using` ends it. */
export function startCommand(
  task: string,
  scene: Pick<Scene, "topic" | "groupId" | "kafka">,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Child {
  return startTask(task, task, {
    KAFKA_BROKERS: scene.kafka.brokers,
    KAFKA_TOPIC: scene.topic,
    KAFKA_GROUP_ID: scene.groupId,
    ...env,
  }, args);
}

/** Runs a task to its end. */
export async function runCommand(...of: Parameters<typeof startCommand>): Promise<Ran> {
  await using child = startCommand(...of);
  const { code } = await child.exit;
  return { code, text: child.lines.map(({ text }) => text).join("\n") };
}
