// The faults of a storm: how each is brought about, and how it ends.

import type { FaultKind, ScheduledFault } from "./schedule.ts";
import type { Actor, StormStage } from "./stage.ts";
import type { ModelMood } from "./model.ts";

/** Brings a fault about and ends it; resolves to what it hit when everything is as it was. */
export async function injectFault(stage: StormStage, fault: ScheduledFault): Promise<string> {
  const { kind, choice, forMs } = fault;
  const [who, what] = kind.split(/ (.*)/s);
  switch (who) {
    case "consumer":
      return await onConsumer(stage, what, fault);
    case "worker":
      return await onWorker(stage, what, fault);
    case "broker":
      return await onBroker(stage, what, fault);
    case "database":
      await (what === "killed" ? stage.database.kill() : stage.database.stop());
      await pause(forMs);
      await stage.database.restart();
      return "database";
    case "model":
      return await onModel(stage, what?.replace("answers ", "") as ModelMood, forMs);
    case "version":
      return await withVersionBefore(stage, what === "before takes over", forMs);
    default:
      return await onWire(stage, kind, choice, forMs);
  }
}

async function onConsumer(stage: StormStage, what: string | undefined, { choice, forMs }: ScheduledFault) {
  if (what === "joins") {
    const { name } = await stage.addConsumer();
    return name;
  }
  const target = chosen(stage.consumers, choice);
  if (what === "frozen") return await freeze(target, forMs + SESSION_MS);
  await stage.removeConsumer(target, what === "killed" ? "SIGKILL" : "SIGTERM");
  // A group has to have somebody; so a leaving one is replaced where it was the last.
  if (what !== "leaves" || stage.consumers.length === 0) await stage.addConsumer();
  return target.name;
}

/** Longer than the consumers' session: a frozen one has lost its partitions when it goes on. */
const SESSION_MS = 7_000;

async function onWorker(stage: StormStage, what: string | undefined, { choice, forMs }: ScheduledFault) {
  const target = chosen(stage.workers, choice);
  if (what === "frozen") return await freeze(target, forMs);
  await target.process.end(what === "killed" ? "SIGKILL" : "SIGTERM");
  await pause(forMs);
  await stage.restartWorker(target);
  return target.name;
}

async function onBroker(stage: StormStage, what: string | undefined, { choice, forMs }: ScheduledFault) {
  const id = 1 + choice % stage.kafka.nodes.length;
  const node = stage.kafka.node(id);
  if (what === "frozen") {
    node.signal("SIGSTOP");
    await pause(forMs);
    node.signal("SIGCONT");
    return `broker ${id}`;
  }
  await (what === "killed" ? node.kill() : node.stop());
  await pause(forMs);
  await node.restart();
  return `broker ${id}`;
}

async function onModel(stage: StormStage, mood: ModelMood, forMs: number): Promise<string> {
  stage.model.mood = mood;
  await pause(forMs);
  stage.model.mood = "well";
  return "model";
}

async function onWire(stage: StormStage, kind: FaultKind, choice: number, forMs: number): Promise<string> {
  const target = chosen(stage.workers, choice);
  const { wire } = target;
  switch (kind) {
    case "workers' wire reset":
      wire.cut();
      break;
    case "workers' wire silent":
      wire.freeze();
      break;
    case "workers' wire slow":
      wire.delay(200);
      break;
    case "workers' wire in slices":
      wire.slice(7);
      break;
    case "answers lost after the write":
      wire.loseAnswers();
      break;
    case "database's wire silent":
      stage.databaseWire.freeze();
      break;
    case "database's wire reset":
      stage.databaseWire.cut();
      break;
    case "model's wire silent":
      stage.modelWire.freeze();
      break;
    default:
      throw new Error(`No such fault: ${kind}`);
  }
  await pause(forMs);
  stage.mendWires();
  return kind.startsWith("workers") || kind.startsWith("answers") ? target.name : kind.split("'")[0] ?? kind;
}

/** One group, both versions: the one before joins beside, or instead, with a worker of its own; then it goes again. */
async function withVersionBefore(stage: StormStage, alone: boolean, forMs: number): Promise<string> {
  const { before } = stage.options;
  if (before === undefined) throw new Error("There is no checkout of the version before");
  const worker = chosen(stage.workers, 0);
  await worker.process.end("SIGTERM");
  await stage.restartWorker(worker, before);
  const now = [...stage.consumers];
  const old = await stage.addConsumer(before);
  if (alone) { for (const consumer of now) await stage.removeConsumer(consumer, "SIGTERM"); }
  await pause(forMs + SESSION_MS);
  if (alone) { for (const _ of now) await stage.addConsumer(); }
  await stage.removeConsumer(old, "SIGTERM");
  await worker.process.end("SIGTERM");
  await stage.restartWorker(worker);
  return `${old.name}, ${worker.name}`;
}

async function freeze({ name, process }: Actor, forMs: number): Promise<string> {
  process.kill("SIGSTOP");
  await pause(forMs);
  process.kill("SIGCONT");
  return name;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function chosen<T>(of: readonly T[], choice: number): T {
  const one = of[choice % of.length];
  if (one === undefined) throw new Error("There is nothing left to break");
  return one;
}
