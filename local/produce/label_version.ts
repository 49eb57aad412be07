// The version that labels have now, by the model and the taxonomy that the environment names.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { labelVersion, promptWriter } from "../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../worker/core/taxonomy.ts";
import defaultTaxonomy from "../../worker/taxonomy.json" with { type: "json" };
import { LOCAL_MODEL_NAME } from "../start/commands.ts";

/**
 * The version of a label that a worker with this environment, or `start`, would write.
 *
 * @throws {StartError} when the taxonomy cannot be used.
 */
export async function currentLabelVersion(env: Environment): Promise<string> {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: model, TAXONOMY_FILE: file } =
    readVariables(
      ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "TAXONOMY_FILE"],
      env,
    );
  const local = key === undefined && url === undefined;
  try {
    const taxonomy = parseTaxonomy(
      file === undefined ? defaultTaxonomy : JSON.parse(await Deno.readTextFile(file)),
    );
    return labelVersion(local ? LOCAL_MODEL_NAME : model, promptWriter(taxonomy).fingerprint);
  } catch (error) {
    throw new StartError(`TAXONOMY_FILE cannot be used: ${(error as Error).message}`);
  }
}
