// The screen of dead letters: its frame and filters. A script fills it from /dead-letters, which reads whole topics.

const FIELDS = [
  ["cause", "Cause"],
  ["status", "Status"],
  ["key", "Key"],
  ["grep", "In value, key or problem"],
  ["since", "Since"],
  ["until", "Until"],
] as const;

/** Filters stay in the address, under the names that `GET /dead-letters` gives them. */
export function DeadLetters({ query }: { readonly query: Readonly<Record<string, string>> }) {
  return (
    <>
      <form class="filters" method="get" action="/page/dead-letters" aria-label="Filters">
        {FIELDS.map(([name, title]) => (
          <label>
            {title}
            <input name={name} value={query[name] ?? ""} />
          </label>
        ))}
        <button type="submit">Show</button>
      </form>
      <div id="replay" aria-live="polite"></div>
      <div id="letters" data-letters aria-busy="true">
        <p class="note">The dead-letter topics are read.</p>
      </div>
      <dialog id="dialog" aria-labelledby="dialog-title"></dialog>
    </>
  );
}
