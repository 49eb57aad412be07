// Words of `why`: counts, rates and times for people.

/** `1,829`. */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

/** `1 record`, `5,230 records`. */
export const records = (value: number): string => `${count(value)} ${value === 1 ? "record" : "records"}`;

/** `41`, `3.5`, `0.04`: records a second, so that slow ones are not nothing. */
export function perSecond(value: number): string {
  if (value >= 10 || value === 0) return count(value);
  return value >= 0.1 ? value.toFixed(1) : value.toFixed(2);
}

/** `14 s`, `3 min`, `5 h 20 min`, `2 days`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h >= 48) return `${Math.floor(h / 24)} days`;
  return min % 60 === 0 ? `${h} h` : `${h} h ${min % 60} min`;
}

/** With a full stop at its end, and none twice. */
export const sentence = (text: string): string => /[.!?…]$/.test(text) ? text : `${text}.`;
