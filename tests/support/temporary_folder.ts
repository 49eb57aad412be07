// A temporary folder that goes away with its user, also when the process exits without disposing of anything.

const present = new Set<string>();

globalThis.addEventListener("unload", () => {
  for (const path of present) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch {
      // A process that is just being killed may still write there; the operating system clears /tmp.
    }
  }
});

/** A folder with everything in it. */
export class TemporaryFolder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(prefix: string): Promise<TemporaryFolder> {
    const path = await Deno.makeTempDir({ prefix });
    present.add(path);
    return new TemporaryFolder(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
    present.delete(this.path);
  }
}
