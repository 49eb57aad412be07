// Words: durations, counts and shares as people read them on the page.

/** `3 s`, `2 min`, `1 h 4 min`; `-` for null. */
export function duration(ms: number | null): string {
  if (ms === null) return "-";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** `12,345`, one decimal below 10; `-` for null. */
export function figure(value: number | null): string {
  if (value === null) return "-";
  const rounded = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return rounded.toLocaleString("en-US");
}

/** `2026-11-28 21:04:05 UTC` of an ISO 8601 time; empty stays empty. */
export function moment(iso: string | null): string {
  return iso === null || iso === "" ? "-" : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
