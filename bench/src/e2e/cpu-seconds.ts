import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU seconds that each named process has used, with its descendants (those that ended too). A descendant that has a name of its own counts
 * under that alone. Linux only; counts hundredths of seconds.
 */
export function cpuSecondsOf<Name extends string>(named: Readonly<Record<Name, number>>): Record<Name, number> {
  const all = readAll();
  const roots = new Set<number>(Object.values(named));
  const ticksOf = (pid: number): number => {
    let ticks = all.get(pid)?.ticks ?? 0;
    for (const [child, { parent }] of all) if (parent === pid && !roots.has(child)) ticks += ticksOf(child);
    return ticks;
  };
  // Object.entries widens the names.
  return Object.fromEntries(Object.entries<number>(named).map(([name, pid]) => [name, ticksOf(pid) / 100])) as Record<Name, number>;
}

function readAll(): Map<number, { readonly parent: number; readonly ticks: number }> {
  const all = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // man 5 proc_pid_stat; the name in brackets may hold anything.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      const [own, ended] = [Number(fields[11]) + Number(fields[12]), Number(fields[13]) + Number(fields[14])];
      all.set(Number(name), { parent: Number(fields[1]), ticks: own + ended });
    } catch {
      // Ended meanwhile.
      continue;
    }
  }
  return all;
}
