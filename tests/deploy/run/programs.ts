// Which command a service's container runs, and how its health is asked: the entrypoints of all images, without engine.

import { confinedCommand, type Confinement } from "../../support/processes/confinement.ts";
import { dockerfile } from "../../support/images/deploy_files.ts";
import { confined } from "../../support/images/image_folder.ts";
import type { Service } from "./compose_config.ts";
import type { Images } from "./images.ts";

/** The user of apache/kafka; compose.yaml names the others. */
const KAFKA_USER = "1000";

/** What every container has in common. */
export interface Surroundings {
  readonly images: Images;
  /** Volumes are folders in it; everyone may read it. */
  readonly folder: string;
  readonly resolvConf: string;
}

/** The command of a service's container; `args` stand in place of the service's own command. */
export function commandOf(
  around: Surroundings,
  service: Service,
  args: readonly string[] = service.command ?? [],
): readonly string[] {
  const { image, build } = service;
  if (build !== undefined) return ours(around, service, [...entrypointOf(service).slice(1), ...args]);
  if (image.startsWith("apache/kafka:")) {
    return args.length > 0 ? kafkaTool(around, args) : kafka(around, service);
  }
  if (image.startsWith("postgres:")) return postgres(around, service);
  if (image.startsWith("prom/prometheus:")) return prometheus(around, service, args);
  throw new Error(`no program here stands in for the image ${image}`);
}

/** The command that asks a container for its health; undefined where it has no health check. */
export function healthCheckOf(around: Surroundings, service: Service): readonly string[] | undefined {
  const { build, healthcheck } = service;
  if (healthcheck?.disable === true) return undefined;
  const asked = healthcheck?.test ?? (build && checkOfImage(build.target));
  if (asked === undefined) return undefined;
  const [, ...command] = asked;
  if (build !== undefined) return ours(around, service, command.slice(1));
  const PATH = `${around.images.postgres}:${Deno.env.get("PATH")}`;
  return confinedCommand({ user: service.user ?? KAFKA_USER, cwd: "/", env: { PATH } }, command);
}

function entrypointOf({ entrypoint }: Service): readonly string[] {
  return entrypoint ?? JSON.parse(dockerfile().find(({ name }) => name === "ENTRYPOINT")?.rest ?? "[]");
}

/** The last HEALTHCHECK of a stage, in the form of compose. */
function checkOfImage(target: string): readonly string[] {
  const steps = dockerfile();
  const from = steps.findIndex(({ name, rest }) => name === "FROM" && rest.endsWith(` AS ${target}`));
  const check = steps.slice(from).find(({ name }) => name === "HEALTHCHECK")?.rest ?? "";
  return ["CMD", ...JSON.parse(check.slice(check.indexOf("[")))];
}

/** A Deno command in one of our images, with the environment of the image and of the service. */
function ours(
  { images, resolvConf }: Surroundings,
  service: Service,
  args: readonly string[],
): readonly string[] {
  const image = service.build?.target === "local" ? images.local : images.ackpool;
  const ofImage = { DENO_NO_PROMPT: "1", DENO_NO_UPDATE_CHECK: "1" };
  return confined(image, { ...ofImage, ...environmentOf(service) }, ["deno", ...args], { resolvConf });
}

/** As the image's wrapper does it: `KAFKA_LOG_DIRS` becomes `log.dirs`, and fresh storage is formatted. */
function kafka(around: Surroundings, service: Service): readonly string[] {
  const { CLUSTER_ID = "", ...environment } = environmentOf(service);
  const folder = volumeOf(around, service);
  const settings = Object.entries(environment).filter(([name]) => name.startsWith("KAFKA_")).map((
    [name, value],
  ) => `${name.slice(6).toLowerCase().replaceAll("_", ".")}=${value}`);
  const properties = `${folder}/server.properties`;
  Deno.writeTextFileSync(properties, `${settings.join("\n")}\nlog.dirs=${folder}/data\n`);
  const { java, classPath } = around.images.kafka;
  const run = `${java} -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '${classPath}'`;
  const format =
    `${run} kafka.tools.StorageTool format --ignore-formatted --cluster-id=${CLUSTER_ID} -c ${properties}`;
  const script = `${format} && exec ${run} kafka.Kafka ${properties}`;
  return writing(around, KAFKA_USER, folder, ["sh", "-c", script]);
}

/** `/opt/kafka/bin/kafka-topics.sh …` */
function kafkaTool(around: Surroundings, [script = "", ...args]: readonly string[]): readonly string[] {
  if (!script.endsWith("/kafka-topics.sh")) throw new Error(`no program here stands in for ${script}`);
  const { java, classPath } = around.images.kafka;
  const command = [
    java,
    "-XX:TieredStopAtLevel=1",
    "-cp",
    classPath,
    "org.apache.kafka.tools.TopicCommand",
    ...args,
  ];
  const { resolvConf } = around;
  return confinedCommand({ user: KAFKA_USER, cwd: "/", env: pathAlone(), resolvConf }, command);
}

/** As the image's entrypoint does it: a cluster with the user, its password and its database, where there is none. */
function postgres(around: Surroundings, service: Service): readonly string[] {
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = environmentOf(service);
  const folder = volumeOf(around, service);
  const [cluster, bin] = [`${folder}/cluster`, around.images.postgres];
  Deno.writeTextFileSync(`${folder}/password`, POSTGRES_PASSWORD ?? "");
  const make = [
    `${bin}/initdb -D ${cluster} -U ${POSTGRES_USER} --pwfile=${folder}/password -A scram-sha-256`,
    `echo 'host all all all scram-sha-256' >> ${cluster}/pg_hba.conf`,
    `echo 'create database ${POSTGRES_DB}' | ${bin}/postgres --single -D ${cluster} postgres`,
  ].join(" && ");
  const serve =
    `exec ${bin}/postgres -D ${cluster} -c 'listen_addresses=*' -c unix_socket_directories=${folder}`;
  const script = `if [ ! -e ${cluster}/PG_VERSION ]; then ${make}; fi && ${serve}`;
  return writing(around, service.user ?? "", folder, ["sh", "-c", script]);
}

/** With compose's configuration; only the paths are those of this machine. */
function prometheus(around: Surroundings, service: Service, args: readonly string[]): readonly string[] {
  const folder = volumeOf(around, service);
  // The longest first: the volume's path is part of the others.
  const mounts = (service.volumes ?? []).map(({ type, source, target }) =>
    [target, type === "volume" ? folder : source] as const
  ).toSorted(([one], [other]) => other.length - one.length);
  const targets = new RegExp(mounts.map(([target]) => target).join("|"), "g");
  const here = (text: string) => text.replace(targets, (target) => new Map(mounts).get(target) ?? target);
  const config = mounts.find(([target]) => target.endsWith("/prometheus.yaml"))?.[1] ?? "";
  Deno.writeTextFileSync(`${folder}/prometheus.yaml`, here(Deno.readTextFileSync(config)));
  const flags = args.map((arg) => here(arg).replace(config, `${folder}/prometheus.yaml`));
  return writing(around, service.user ?? "", folder, [around.images.prometheus, ...flags]);
}

/** The folder that stands for a service's volume, owned by its user. */
function volumeOf({ folder }: Surroundings, { volumes = [], user = KAFKA_USER }: Service): string {
  const [volume] = volumes.filter(({ type }) => type === "volume");
  const path = `${folder}/volume-${volume?.source}`;
  Deno.mkdirSync(path, { recursive: true });
  new Deno.Command("chown", { args: [user, path] }).outputSync();
  return path;
}

function writing(
  { resolvConf }: Surroundings,
  user: string,
  folder: string,
  command: readonly string[],
): readonly string[] {
  const confinement: Confinement = { user, cwd: folder, env: pathAlone(), writable: [folder], resolvConf };
  return confinedCommand(confinement, command);
}

const pathAlone = () => ({ PATH: Deno.env.get("PATH") ?? "" });

function environmentOf({ environment = {} }: Service): Record<string, string> {
  const set = Object.entries(environment).filter((each): each is [string, string] => each[1] !== null);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}
