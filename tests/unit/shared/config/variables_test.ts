import assert from "node:assert/strict";
import { type Variable, variables } from "../../../../shared/config/variables.ts";

Deno.test("variables' defaults are values that they themselves accept", () => {
  for (const [name, variable] of Object.entries(variables)) {
    const { schema, fallback }: Variable<unknown> = variable;
    if (typeof fallback === "string") assert.ok(schema.safeParse(fallback).success, `${name}=${fallback}`);
  }
});
