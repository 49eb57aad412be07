// Body of a request, read as JSON without ever holding more of it than is allowed.

import { readBytes } from "../../shared/http/read_bytes.ts";
import { within } from "../../shared/wait.ts";
import { problem } from "./problems.ts";

/** Time for a body to arrive, in ms. */
export const BODY_MS = 30_000;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The parsed body, or the problem to answer with. */
export type JsonBody = { readonly kind: "json"; readonly value: unknown } | {
  readonly kind: "problem";
  readonly response: Response;
};

/** How much of a body is read. */
export interface BodyLimit {
  readonly bytesMax: number;
  /** The server before us ends a body at its stated length, so that a stated length need not be counted again. */
  readonly lengthsHold: boolean;
}

/**
 * Checks type and size, and parses. The content type has to be stated: a page of another site can make a browser send a
 * request without one, but not one that says it is JSON (WHATWG Fetch, section 2.2.2).
 */
export async function readJson(request: Request, { bytesMax, lengthsHold }: BodyLimit): Promise<JsonBody> {
  const contentType = request.headers.get("content-type") ?? "";
  if (!isJson(contentType)) return unsupported();
  const tooLarge = () =>
    wrong(problem("body-too-large", `The body is larger than ${bytesMax} bytes`, { connection: "close" }));
  const stated = request.headers.get("content-length");
  if (Number(stated ?? 0) > bytesMax) return tooLarge();
  const reading = lengthsHold && stated !== null ? request.bytes() : readBytes(request, bytesMax);
  const bytes = await inTime(reading);
  if (bytes === undefined) return tooLarge();
  if (bytes === "late") {
    return wrong(problem("body-too-slow", `It has ${BODY_MS / 1000} s to arrive`, { connection: "close" }));
  }
  if (bytes === "cut off") {
    return wrong(problem("caller-gone", "The connection ended before the whole body had arrived"));
  }
  return parseJson(contentType, bytes);
}

/** Parses a body that is there. */
export function parseJson(contentType: string, bytes: Uint8Array): JsonBody {
  if (!isJson(contentType)) return unsupported();
  try {
    return { kind: "json", value: JSON.parse(decoder.decode(bytes)) };
  } catch {
    return wrong(problem("not-json", "The body cannot be parsed as JSON in UTF-8"));
  }
}

function unsupported(): JsonBody {
  return wrong(
    problem("unsupported-media-type", "The content type is neither application/json nor +json in UTF-8"),
  );
}

async function inTime(
  reading: Promise<Uint8Array | undefined>,
): Promise<Uint8Array | undefined | "late" | "cut off"> {
  const bytes = reading.catch(() => "cut off" as const);
  return await within(BODY_MS, bytes) ? await bytes : "late";
}

function wrong(response: Response): JsonBody {
  return { kind: "problem", response };
}

/** RFC 6839: a structured syntax suffix says that a type can be read as JSON. */
function isJson(contentType: string): boolean {
  if (contentType === "application/json") return true;
  const [type = "", ...parameters] = contentType.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice(8).replaceAll(
    '"',
    "",
  );
  return /^(?:application\/json|[\w.-]+\/[\w.-]+\+json)$/.test(type) &&
    (charset === undefined || charset === "utf-8" || charset === "utf8");
}
