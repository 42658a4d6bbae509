/** What commands write: results to stdout, progress to stderr. */

/** One JSON document on stdout, indented so that people can read it too. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

export interface Progress {
  /** `fraction` from 0 to 1. */
  update(stage: string, fraction: number): void;
  /** Removes the progress line; must be called before anything else is written to the terminal. */
  done(): void;
}

const quietMs = 300;
const plainAfterMs = 2000;

/**
 * Progress of work that may take long. On a terminal one line on stderr that redraws itself; elsewhere one
 * plain line, and only when the work takes over two seconds.
 */
export function startProgress(what: string): Progress {
  const { stderr } = process;
  const startedMs = performance.now();
  let shown = false;
  const plain = stderr.isTTY
    ? undefined
    : setTimeout(() => stderr.write(`cutpoint: ${what}, this takes a while …\n`), plainAfterMs);
  return {
    update(stage, fraction) {
      if (!stderr.isTTY || performance.now() - startedMs < quietMs) return;
      const share = Math.round(Math.min(1, Math.max(0, fraction)) * 20);
      const line = `${what}: ${stage} ${'█'.repeat(share)}${'░'.repeat(20 - share)}`;
      stderr.write(`\r\x1b[2K${line.slice(0, (stderr.columns || 80) - 1)}`);
      shown = true;
    },
    done() {
      clearTimeout(plain);
      if (shown) stderr.write('\r\x1b[2K');
      shown = false;
    },
  };
}
