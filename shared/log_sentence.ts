// logSentence(): an event of the log as a person reads it.

/** `model refused (status 401, cause key)`; a cause, and its end, as sentences. */
export function logSentence(message: string, properties: Readonly<Record<string, unknown>>): string {
  const { cause, detail, remedy, after, afterMs } = properties;
  if (typeof cause === "string" && typeof detail === "string" && typeof remedy === "string") {
    return `${cause}: ${sentence(detail)} ${sentence(remedy)}`;
  }
  if (message === "delivery goes on" && typeof afterMs === "number") {
    return `delivery goes on after ${Math.round(afterMs / 1000)} s${after ? ` (${after} is over)` : ""}`;
  }
  const { topic, partition, offset, ...others } = properties;
  const place = topic !== undefined && partition !== undefined && offset !== undefined
    ? ` ${topic}/${partition}/${offset}`
    : "";
  const more = Object.entries(place === "" ? properties : others)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${words(name)} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${message}${place}${more.length === 0 ? "" : ` (${more.join(", ")})`}`;
}

/** `waitMs` is `wait ms`. */
function words(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
}

/** With a full stop at its end, and none twice. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
