// Taxonomy of a worker: that of TAXONOMY_FILE, or the one that comes with Ackpool.

import { whyUnreadable } from "../shared/config/file_folders.ts";
import { ConfigError } from "../shared/config/read.ts";
import { parseTaxonomy, type Taxonomy, TaxonomyError } from "./core/taxonomy.ts";
import defaultTaxonomy from "./taxonomy.json" with { type: "json" };

/**
 * The taxonomy of a file, or the one that comes with Ackpool.
 *
 * @throws {ConfigError} when the file is not there, is no JSON or no taxonomy.
 */
export function readTaxonomy(file: string | undefined): Taxonomy {
  try {
    return parseTaxonomy(file === undefined ? defaultTaxonomy : JSON.parse(Deno.readTextFileSync(file)));
  } catch (error) {
    if (error instanceof TaxonomyError) throw new ConfigError(error.message.split("\n"));
    throw new ConfigError([
      `TAXONOMY_FILE cannot be read as JSON: ${
        error instanceof SyntaxError ? error.message : whyUnreadable(error)
      }`,
    ]);
  }
}
