// Results of the commands behind the promises: what each printed of figures when it was last run, one file a row.

/** One run of a row's command. */
export interface Result {
  readonly command: string;
  /** The day, as YYYY-MM-DD. */
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly seconds: number;
  readonly exitCode: number;
  readonly figures: Readonly<Record<string, number>>;
  /** Whether the planted fault made its quick command fail; absent where CI plants it in every run. */
  readonly faultFound?: boolean;
}

const FOLDER = new URL("./results/", import.meta.url);

/** The result of a row; undefined where its command was never run. */
export function readResult(id: string): Result | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL(`${id}.json`, FOLDER))) as Result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Keeps the result of a row. */
export function writeResult(id: string, result: Result): void {
  Deno.writeTextFileSync(new URL(`${id}.json`, FOLDER), `${JSON.stringify(result, null, 2)}\n`);
}

/** The figures in what a command printed. @throws {Error} when there are none: then the command prints something else now. */
export function figuresIn(output: string, pattern: RegExp): Record<string, number> {
  if (pattern.global) {
    const lines = [...output.matchAll(pattern)].length;
    if (lines > 0) return { held: lines };
  }
  const groups = pattern.exec(output)?.groups;
  if (groups === undefined) throw new Error(`No figures in the output: nothing matches ${pattern}`);
  const stated = Object.entries(groups).filter(([, text]) => text !== undefined);
  return Object.fromEntries(stated.map(([name, text]) => [name, Number(text)]));
}
