// How many TCP sockets this process has open, as the kernel sees it.

/** TCP sockets in /proc/self/fd, of any state. The runtime has sockets of its own between its threads: not these. */
export function openSockets(): number {
  const tcp = new Set(["tcp", "tcp6"].flatMap((table) =>
    // The inode is the tenth column.
    Deno.readTextFileSync(`/proc/self/net/${table}`).split("\n").map((line) => line.trim().split(/\s+/)[9])
  ));
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/self/fd/${name}`))?.[1];
      if (inode !== undefined && tcp.has(inode)) count += 1;
    } catch (error) {
      // The folder's own descriptor is gone by now.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return count;
}
