// The head of every page that a program shows: nothing in it comes from elsewhere, and nothing is inline.

/** Names of files under `/page/assets/`. */
export interface HeadProps {
  readonly title: string;
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
}

/** The document's head. */
export function Head({ title, styles = [], scripts = [] }: HeadProps) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{title}</title>
      <link rel="icon" href="/page/assets/icon.svg" type="image/svg+xml" />
      {[...styles, "page.css"].map((name) => <link rel="stylesheet" href={`/page/assets/${name}`} />)}
      {scripts.map((name) => <script type="module" src={`/page/assets/${name}`}></script>)}
    </head>
  );
}
