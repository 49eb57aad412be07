// A command as a container runs it, without an engine: another user without capabilities, a root file system that
// nobody can write to, an environment of its own. Linux, root.

/** How a process is confined. */
export interface Confinement {
  /** User and group: a number, or a name that the machine knows. */
  readonly user: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Folders that stay writable, as volumes do. */
  readonly writable?: readonly string[];
  /** Stands in place of /etc/resolv.conf. */
  readonly resolvConf?: string;
}

/** Quoted for `sh`. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The command that runs `command` confined; it becomes that process, so signals go straight to it. */
export function confinedCommand(
  { user, cwd, env, writable = [], resolvConf }: Confinement,
  command: readonly string[],
): readonly string[] {
  const assignments = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
  const steps = [
    "mount --bind / /",
    ...writable.map((folder) => `mount --bind ${quoted(folder)} ${quoted(folder)}`),
    ...(resolvConf === undefined ? [] : [`mount --bind ${quoted(resolvConf)} /etc/resolv.conf`]),
    "mount -o remount,bind,ro /",
    `cd ${quoted(cwd)}`,
    `exec setpriv --reuid ${user} --regid $(id -g ${user} 2>/dev/null || echo ${user}) --clear-groups --no-new-privs --bounding-set=-all ` +
    `env -i ${assignments.join(" ")} ${command.map(quoted).join(" ")}`,
  ];
  return ["unshare", "--mount", "sh", "-c", steps.join(" && ")];
}
