// kcat, Debian's command line for librdkafka: a producer that has nothing to do with kafkajs and knows every codec.

import { installKcat, type Report } from "../processes/real_install.ts";

/** How records are written. */
export interface KcatRecords {
  readonly brokers: string;
  readonly topic: string;
  readonly codec: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  /** Each becomes one record: any bytes. */
  readonly values: readonly Uint8Array[];
}

/** Writes records and waits until the broker has confirmed all of them. */
export async function produceWithKcat(
  { brokers, topic, codec, values }: KcatRecords,
  report: Report = () => {},
): Promise<void> {
  const command = await installKcat(report);
  const folder = await Deno.makeTempDir({ prefix: "ackpool-kcat-" });
  try {
    // A file a record: the bytes go through no delimiter.
    const files: string[] = [];
    for (const [index, value] of values.entries()) {
      files.push(`${folder}/${index}`);
      await Deno.writeFile(`${folder}/${index}`, value);
    }
    const settings = ["-z", codec, "-X", "acks=all", "-X", "linger.ms=500", "-X", "batch.num.messages=1000"];
    const output = await new Deno.Command(command, {
      args: ["-P", "-b", brokers, "-t", topic, ...settings, ...files],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (!output.success) throw new Error(`kcat failed: ${new TextDecoder().decode(output.stderr)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
