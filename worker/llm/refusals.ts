// Refusals of parameters: which features an error says are not taken, and the next way to ask for each.

import { type Choice, type Feature, FEATURE_NAMES, type FeatureName, FEATURES, wayOf } from "./features.ts";
import type { ProviderError } from "./provider_error.ts";

/** A feature that is refused. */
export interface Refusal {
  readonly feature: FeatureName;
  /** The way to ask for it from now on. */
  readonly next: number;
  /** The ticket holds the same words: the error may repeat them, so that nothing is learnt from it for other tickets. */
  readonly doubtful: boolean;
}

/** Statuses under which providers refuse parameters. */
const STATUSES = new Set([400, 403, 404, 405, 406, 409, 415, 422, 424, 500, 501, 502, 503]);
/** Words that a refusal without a parameter's name beside it has. */
const REFUSING =
  /support|unknown|unrecogni[sz]ed|unexpected|invalid|extra|not (?:allowed|permitted|available|enabled|implemented)|disallow|forbidden|deprecated|unavailable|cannot|can't|failed to (?:parse|compile|initiali[sz]e)|error pars|conversion|must|should be|has to|expected|ignored|rejected|incompatible|only|range|no longer|not have|no endpoints/;
/** Words which say that the field is known and its value is not. */
const ABOUT_VALUE =
  /value|must be|one of|should be|expected|does not support '|does not support "|grammar|conversion|parse/;
/** Where one line of a text lists several refusals. */
const LINES = /\n|\\n|['"]loc['"]|invalid json payload received/;
/** A page of a gateway: it speaks of no parameter of ours. */
const PAGE = /^\s{0,40}<(?:!doctype|html|\?xml|head|body)/;
/** What may stand between names of one list. */
const BETWEEN = /^(?:and|or)?$/;

/** How providers name a parameter that they do not take. */
const UNKNOWN =
  /(?:unsupported|unknown|unrecogni[sz]ed|unexpected|invalid) (?:parameter|argument|field|name|key|property|(?:request|keyword) argument)s?(?: supplied)?:? ?['"`]?([\w.]{2,60})/;

/** Parameters in which the ticket is sent: what is wrong with them is no setting of ours. */
const OF_THE_TICKET = /^(?:messages|prompt|input|contents?)\b(?!.*role$)/;

/** Codes with which a provider says that a parameter is refused. */
const PARAMETER_CODES = new Set([
  "unsupported_parameter",
  "unsupported_value",
  "unknown_parameter",
  "invalid_parameter",
  "extra_forbidden",
  "unsupportedparamserror",
  "unrecognized_parameter",
]);

/** The features that an error refuses, of those that were asked for. `sent` is what the ticket says. */
export function refusedFeatures(error: ProviderError, choice: Choice, sent: string): readonly Refusal[] {
  if (!STATUSES.has(error.status)) return [];
  const named = error.params.map(featureOfParam).filter((name) => name !== undefined);
  const isNamed = named.length > 0;
  // Where parameters are named, the text counts no more: it may repeat the ticket. A role has no parameter of its own.
  const inText = isNamed
    ? []
    : featuresInText(error.text).filter(({ feature }) => error.params.length === 0 || feature === "system");
  const found = isNamed ? named.map((feature) => ({ feature, word: "" })) : inText;
  const refusals = new Map<FeatureName, Refusal>();
  for (const { feature, word } of found) {
    const next = nextWay(feature, choice, error, isNamed ? undefined : word);
    const doubtful = word !== "" && sent.toLowerCase().includes(word);
    if (next !== undefined) refusals.set(feature, { feature, next, doubtful });
  }
  return [...refusals.values()];
}

/** The parameter that is refused where an error refuses one by name; undefined where it is about something else. */
export function refusedParameter(
  { codes, params, status, text }: ProviderError,
  sent: string,
): string | undefined {
  if (!STATUSES.has(status) || PAGE.test(text)) return undefined;
  const [param] = params;
  if (param === undefined) {
    const named = UNKNOWN.exec(text)?.[1] ?? featuresInText(text)[0]?.word;
    const isOurs = named !== undefined && status < 500 && !OF_THE_TICKET.test(named);
    return isOurs && !sent.toLowerCase().includes(named) ? named : undefined;
  }
  if (OF_THE_TICKET.test(param)) return undefined;
  const refuses = codes.some((code) => PARAMETER_CODES.has(code)) || featureOfParam(param) !== undefined;
  return refuses ? param : undefined;
}

/** `response_format.json_schema`, `reasoning.effort`, `messages[0].role`. */
function featureOfParam(param: string): FeatureName | undefined {
  const parts = param.split(/[.[\]]+/).filter((part) => part !== "");
  if (parts[0] === "messages") return parts.at(-1) === "role" ? "system" : undefined;
  return FEATURE_NAMES.find((name) => parts.some((part) => namesOf(name).includes(part)));
}

interface Mention {
  readonly feature: FeatureName;
  readonly word: string;
}

/** In each line the feature that is named first, with those that are listed right behind it. */
function featuresInText(text: string): readonly Mention[] {
  if (PAGE.test(text) || !REFUSING.test(text)) return [];
  return text.split(LINES).flatMap((line) => {
    const mentions = mentionsIn(line.split(/[^\p{L}\p{N}_]+/u).filter((word) => word !== ""));
    const gap = mentions.findIndex(({ at }, index) => {
      const before = mentions[index - 1];
      return before !== undefined && !BETWEEN.test(before.after.slice(0, at - before.to).join(" "));
    });
    return gap < 0 ? mentions : mentions.slice(0, gap);
  });
}

interface PlacedMention extends Mention {
  readonly at: number;
  readonly to: number;
  /** The words behind it. */
  readonly after: readonly string[];
}

function mentionsIn(words: readonly string[]): readonly PlacedMention[] {
  const mentions: PlacedMention[] = [];
  for (let at = 0; at < words.length; at++) {
    for (const feature of FEATURE_NAMES) {
      const word = namesOf(feature).find((name) => {
        const parts = name.split(" ");
        return parts.every((part, offset) => words[at + offset] === part);
      });
      if (word === undefined) continue;
      const to = at + word.split(" ").length;
      mentions.push({ feature, word, at, to, after: words.slice(to, to + 3) });
      break;
    }
  }
  return mentions;
}

/** A value that is refused leads to the next one, a field to the next way without it. */
function nextWay(
  feature: FeatureName,
  choice: Choice,
  { text, codes }: ProviderError,
  word: string | undefined,
): number | undefined {
  const { ways, whole }: Feature = FEATURES[feature];
  const now = wayOf(choice, feature);
  const later = ways.map((way, index) => ({ way, index })).slice(choice[feature] + 1);
  if (later.length === 0) return undefined;
  if (whole?.test(text)) return ways.length - 1;
  const aboutField = !codes.includes("unsupported_value") && !ABOUT_VALUE.test(text) &&
    (word === undefined || word === now.field);
  if (aboutField) return later.find(({ way }) => way.field !== now.field)?.index;
  const offered = later.find(({ way }) => way.value !== undefined && isQuoted(text, way.value));
  if (offered !== undefined) return offered.index;
  // Where the values that are taken are listed, and none is ours, asking on is no use.
  const lists = /one of|supported values|should be|must be|expected/.test(text);
  return (lists ? later.find(({ way }) => way.field !== now.field) : later[0])?.index;
}

function isQuoted(text: string, value: string): boolean {
  return ["'", '"', "`"].some((quote) => text.includes(`${quote}${value}${quote}`));
}

function namesOf(name: FeatureName): readonly string[] {
  return FEATURES[name].names;
}
