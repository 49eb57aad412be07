import assert from "node:assert/strict";
import { llmRemedy, storeRemedy } from "../../../../worker/core/remedies.ts";

Deno.test("llmRemedy() tells a wrong key, a spent quota and a wrong model apart", () => {
  const refused = (detail: string) => llmRemedy({ cause: "refused", detail });
  assert.match(refused("The provider answered 401 (invalid_api_key)") ?? "", /OPENAI_API_KEY/);
  assert.match(refused("The provider answered 403 (permission_denied)") ?? "", /OPENAI_API_KEY/);
  assert.match(refused("The provider answered 429 (insufficient_quota)") ?? "", /quota at the provider/);
  assert.match(refused("The provider answered 402") ?? "", /quota at the provider/);
  assert.match(refused("The provider answered 302") ?? "", /OPENAI_BASE_URL/);
  assert.match(llmRemedy({ cause: "no_model", detail: "" }) ?? "", /OPENAI_MODEL/);
});

Deno.test("llmRemedy() and storeRemedy() have none for what is the ticket's own", () => {
  assert.equal(llmRemedy({ cause: "content_refused", detail: "" }), undefined);
  assert.equal(storeRemedy({ cause: "bad_id" }), undefined);
});
