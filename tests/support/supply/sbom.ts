// SBOM: the packages of deno.lock as CycloneDX 1.6, with hashes, licences and what needs what.

import deno from "../../../deno.json" with { type: "json" };
import { VERSION } from "../../../shared/version.ts";
import { idOf, type LockPackage } from "./lock_packages.ts";

const ROOT = `pkg:generic/ackpool@${VERSION}`;

/** The document: the same packages give the same bytes. */
export function sbomOf(packages: readonly LockPackage[]): Readonly<Record<string, unknown>> {
  const byId = new Map(packages.map((each) => [idOf(each), each]));
  const direct = Object.values(deno.imports).map((specifier) => specifier.replace(/^npm:/, ""));
  const references = (ids: readonly string[]) =>
    [...new Set(ids)].flatMap((id) => byId.get(id) ?? []).map(purlOf).sort();
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        "bom-ref": ROOT,
        type: "application",
        name: "ackpool",
        version: VERSION,
        licenses: [{ license: { id: deno.license } }],
      },
    },
    components: packages.map(componentOf),
    dependencies: [
      { ref: ROOT, dependsOn: references(direct) },
      ...packages.map((each) => ({ ref: purlOf(each), dependsOn: references(each.dependencies) })),
    ],
  };
}

function componentOf(each: LockPackage) {
  const { name, version, integrity, licence } = each;
  return {
    "bom-ref": purlOf(each),
    type: "library",
    name,
    version,
    purl: purlOf(each),
    hashes: [{ alg: "SHA-512", content: Uint8Array.fromBase64(integrity.replace(/^sha512-/, "")).toHex() }],
    ...(licence === undefined ? {} : { licenses: [licenceOf(licence)] }),
  };
}

/** A name of SPDX, or an expression made of such. */
function licenceOf(licence: string) {
  return / (OR|AND|WITH) /.test(licence) ? { expression: licence } : { license: { id: licence } };
}

/** Package URL: the @ of a scope is written as %40. */
function purlOf({ name, version }: LockPackage): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}
