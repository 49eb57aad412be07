// File folders: where files may lie that the environment names, and what is said of one that cannot be read.

/** Readable for programs of production besides their own folder; `permissions.txt` of each lists the same. */
export const FILE_FOLDERS = ["/etc", "/run", "/var/run", "/certs", "/secrets", "/tmp"] as const;

/** Why a file cannot be read, for people. */
export function whyUnreadable(error: unknown): string {
  if (!(error instanceof Deno.errors.NotCapable)) return error instanceof Error ? error.name : String(error);
  const folders = FILE_FOLDERS.join(", ");
  return `this program reads files under ${folders} and its own folder alone: put it there, or add its folder to ` +
    "--allow-read in permissions.txt";
}
