/** A CPU profile in a table: time by the module that spends it, the waiting left out. */
import type { Profiler } from 'node:inspector';

export interface ModuleShare {
  readonly module: string;
  /** Of the samples that are not idle. */
  readonly share: number;
}

export function summarise(profile: Profiler.Profile): {
  readonly modules: ModuleShare[];
  readonly functions: ModuleShare[];
} {
  const modules = new Map<string, number>();
  const functions = new Map<string, number>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  let busy = 0;
  profile.samples!.forEach((id, i) => {
    const { functionName, url, lineNumber } = nodes.get(id)!.callFrame;
    // waiting, and the profiler itself
    if (functionName === '(idle)' || (functionName === 'dispatch' && url === '')) return;
    const took = profile.timeDeltas![i]!;
    busy += took;
    const module = moduleOf(functionName, url);
    add(modules, module, took);
    add(
      functions,
      `${functionName || '(anonymous)'} ${module}${url === '' ? '' : `:${lineNumber + 1}`}`,
      took,
    );
  });
  const shares = (of: ReadonlyMap<string, number>, most: number): ModuleShare[] =>
    [...of]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([module, took]) => ({ module, share: took / busy }));
  return { modules: shares(modules, 25), functions: shares(functions, 40) };
}

function moduleOf(functionName: string, url: string): string {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (url === '') return functionName === '(program)' ? 'native code (sockets, kernel)' : 'engine';
  if (url.startsWith('node:')) return `node: ${url.slice('node:'.length)}`;
  const own = /\/dist\/((?:src|bench)\/.*)\.js$/.exec(url);
  if (own !== null) return `${own[1]}.ts`;
  const library = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  return library?.[1] ?? url;
}

function add(to: Map<string, number>, name: string, value: number): void {
  to.set(name, (to.get(name) ?? 0) + value);
}
