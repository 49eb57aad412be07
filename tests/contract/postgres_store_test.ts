// The label store on PGlite and, where DATABASE_URL_TEST is set, on real PostgreSQL.

import { startStoreHarness } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";
import { labelStoreSuite } from "./label_store_suite.ts";

const RACES = { PGlite: 50, PostgreSQL: 1_000 } as const;

for (const kind of databaseKinds()) {
  labelStoreSuite(kind.name, () => startStoreHarness(kind), RACES[kind.name]);
}
