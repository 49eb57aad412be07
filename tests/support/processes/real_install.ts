// What the machine needs before real Kafka and PostgreSQL can run: looked for first, installed where it is missing.

import { exists } from "../../../local/project.ts";
import { startChild } from "./process.ts";

const POM = new URL("../kafka/real_kafka.pom.xml", import.meta.url).pathname;
const JARS = new URL("../../../.ackpool/kafka-4.1.0/", import.meta.url).pathname;
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const DEBIAN_CLUSTERS = "/etc/postgresql-common/createcluster.conf";

/** Shows the person who waits what is being done. */
export type Report = (what: string) => void;

/** Kafka's jars and the java that runs them. */
export interface KafkaInstallation {
  readonly java: string;
  /** As `java -cp` takes it. */
  readonly classPath: string;
}

/** Installs Java and Maven by apt and Kafka from Maven Central, each where it is missing. */
export async function installKafka(report: Report): Promise<KafkaInstallation> {
  if (!await runs("java", "-version")) await aptInstall(["openjdk-17-jre-headless"], report);
  if (!await exists(`${JARS}complete`)) {
    if (!await runs("mvn", "-v")) await aptInstall(["maven"], report);
    report("fetching Kafka 4.1.0 from Maven Central (43 MB, once)");
    await Deno.mkdir(JARS, { recursive: true });
    await run("mvn", [
      "-q",
      "-B",
      "-ntp",
      "-f",
      POM,
      COPY,
      "-DincludeScope=runtime",
      `-DoutputDirectory=${JARS}`,
    ]);
    await Deno.writeTextFile(`${JARS}complete`, "");
  }
  return { java: "java", classPath: `${JARS}*` };
}

/** The folder with `initdb` and `postgres`; Debian's PostgreSQL is installed where there is none. */
export async function installPostgres(report: Report): Promise<string> {
  const found = await newestPostgres();
  if (found !== undefined) return found;
  // Without this Debian would start a cluster of its own on port 5432, and nobody would stop it.
  await aptInstall(["postgresql-common"], report);
  await run("pg_conftool", [DEBIAN_CLUSTERS, "set", "create_main_cluster", "off"]);
  try {
    await aptInstall(["postgresql"], report);
  } finally {
    await run("pg_conftool", [DEBIAN_CLUSTERS, "remove", "create_main_cluster"]);
  }
  const installed = await newestPostgres();
  if (installed === undefined) throw new Error("PostgreSQL's initdb is not in /usr/lib/postgresql/*/bin");
  return installed;
}

/** The command `pgbouncer`, installed by apt where it is missing. */
export async function installPgBouncer(report: Report): Promise<string> {
  const path = "/usr/sbin/pgbouncer";
  if (!await exists(path)) await aptInstall(["pgbouncer"], report);
  return path;
}

/** The command `kcat`, installed by apt where it is missing. */
export async function installKcat(report: Report): Promise<string> {
  if (!await runs("kcat", "-V")) await aptInstall(["kcat"], report);
  return "kcat";
}

async function newestPostgres(): Promise<string | undefined> {
  const home = "/usr/lib/postgresql";
  if (!await exists(home)) return undefined;
  const versions = Array.from(Deno.readDirSync(home), ({ name }) => Number(name)).filter(Number.isFinite);
  for (const version of versions.sort((a, b) => b - a)) {
    if (await exists(`${home}/${version}/bin/initdb`)) return `${home}/${version}/bin`;
  }
  return undefined;
}

async function aptInstall(packages: readonly string[], report: Report): Promise<void> {
  const command = `apt-get install -y ${packages.join(" ")}`;
  if (Deno.uid() !== 0) throw new Error(`${packages.join(", ")} is missing: run \`sudo ${command}\``);
  report(command);
  const options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=600"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", [...options, "update"], env);
  await run("apt-get", [...options, "install", "--no-install-recommends", ...packages], env);
}

/** Runs a command to its end; throws with its last lines when it fails. */
async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  await using child = startChild({ name: command, command, args, env });
  const { success } = await child.exit;
  if (!success) throw child.failure("failed");
}

async function runs(command: string, flag: string): Promise<boolean> {
  await using child = startChild({ name: command, command, args: [flag] });
  return (await child.exit).success;
}
