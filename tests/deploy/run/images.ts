// What stands in for the images: our two by the Dockerfile's own steps, the others by the same programs installed here.

import { buildImageFolder, type ImageFolder } from "../../support/images/image_folder.ts";
import { kafkaTools, promtool } from "../../support/images/deploy_tools.ts";
import {
  installKafka,
  installPostgres,
  type KafkaInstallation,
  type Report,
} from "../../support/processes/real_install.ts";

/** Where everything is; plain values, so that they can be passed to another process. */
export interface Images {
  readonly ackpool: ImageFolder;
  readonly local: ImageFolder;
  /** Kafka with its command line tools. */
  readonly kafka: KafkaInstallation;
  /** The folder with initdb and postgres. */
  readonly postgres: string;
  /** The program. */
  readonly prometheus: string;
}

/** Builds and installs; needs the network, as nothing afterwards does. `folder` is an empty one. */
export async function prepareImages(folder: string, report: Report): Promise<Images> {
  report("doing the Dockerfile's steps for ackpool and local");
  for (const name of ["ackpool", "local"]) await Deno.mkdir(`${folder}/${name}`);
  const ackpool = await buildImageFolder(`${folder}/ackpool`, "consumer/main.ts");
  const local = await buildImageFolder(`${folder}/local`, "local/model/main.ts");
  report("looking for Kafka, PostgreSQL and Prometheus");
  const { java, classPath } = await installKafka(report);
  const [tool = ""] = await promtool();
  return {
    ackpool,
    local,
    kafka: { java, classPath: `${classPath}:${await kafkaTools()}` },
    postgres: await installPostgres(report),
    prometheus: tool.replace(/promtool$/, "prometheus"),
  };
}
