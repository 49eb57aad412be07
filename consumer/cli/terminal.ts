// Terminal: writes answers to standard output, and everything else to standard error.

const encoder = new TextEncoder();

/** A stream that text goes to. */
interface Output {
  writeSync(bytes: Uint8Array): number;
}

/** A line of the answer. */
export function print(text: string): void {
  write(Deno.stdout, `${text}\n`);
}

/** A line beside the answer, which may go to a file. */
export function printError(text: string): void {
  write(Deno.stderr, `${text}\n`);
}

/** Replaces the last line of standard error, which is a terminal; an empty text clears it. Elsewhere it does nothing. */
export function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) write(Deno.stderr, `\r\x1b[2K${text}`);
}

/** Clears the screen where standard output is one. */
export function clearScreen(): void {
  if (Deno.stdout.isTerminal()) write(Deno.stdout, "\x1b[H\x1b[2J");
}

/** A pipe may take a part only. */
function write(to: Output, text: string): void {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
}
