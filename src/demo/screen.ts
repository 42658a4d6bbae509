/** Where the demo shows itself: a terminal that is redrawn in place, or plain lines where there is none. */
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { formatRate, formatSeconds } from '../format.js';
import type { DeviceFigures } from './fleetFigures.js';
import { renderView, type ViewState } from './view.js';

export interface Screen {
  /** A step of the set-up. `fraction` from 0 to 1. */
  progress(what: string, fraction: number): void;
  show(state: ViewState): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  return output.isTTY ? terminalScreen(output) : plainScreen(output);
}

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Terminals that know it show the frame at once; the others ignore it. */
const frameStart = '\x1b[?2026h\x1b[H';
const frameEnd = '\x1b[J\x1b[?2026l';

/** One write per frame, each line cleared only behind its text: nothing flickers. */
function terminalScreen(output: NodeJS.WriteStream): Screen {
  const colors = pc.createColors(pc.isColorSupported);
  let entered = false;
  // A crash must not leave the reader in the other screen without a cursor.
  const atExit = (): void => {
    output.write(leave);
  };
  let progressShown = false;
  return {
    progress(what, fraction) {
      const share = Math.round(Math.min(1, Math.max(0, fraction)) * 20);
      output.write(`\r\x1b[2K${'█'.repeat(share)}${'░'.repeat(20 - share)} ${what}`.slice(0, 200));
      progressShown = true;
    },
    show(state) {
      if (!entered) {
        output.write(`${progressShown ? '\r\x1b[2K' : ''}${enter}`);
        entered = true;
        process.once('exit', atExit);
      }
      const lines = renderView(state, output.columns || 80, output.rows || 24, colors);
      const columns = output.columns || 80;
      // Erasing behind a line that fills its row would erase the last character of it.
      const fits = (line: string): boolean => stripVTControlCharacters(line).length < columns;
      const rest = lines.map((line) => `${line}${fits(line) ? '\x1b[K' : ''}\r\n`);
      output.write(frameStart + rest.join('') + frameEnd);
    },
    close() {
      if (entered) {
        output.write(leave);
        process.removeListener('exit', atExit);
      } else if (progressShown) output.write('\r\x1b[2K');
      entered = false;
      progressShown = false;
    },
  };
}

/** One line per step of the set-up and per new cut, and totals every few seconds. */
function plainScreen(output: NodeJS.WriteStream): Screen {
  const secondsBetweenTotals = 5;
  const told = new Map<string, number>();
  let step = '';
  let nextTotals = secondsBetweenTotals;
  return {
    progress(what) {
      if (what === step) return;
      step = what;
      output.write(`${what}\n`);
    },
    show(state) {
      for (const device of state.devices) {
        for (const point of device.points.slice(told.get(device.deviceId) ?? 0)) {
          const index = device.points.indexOf(point);
          if (device.points[index - 1]?.version !== point.version)
            output.write(`${cutLine(device, index)}\n`);
        }
        told.set(device.deviceId, device.points.length);
      }
      if (state.elapsedSeconds >= nextTotals) {
        nextTotals += secondsBetweenTotals;
        const decisions = state.devices.reduce((sum, device) => sum + device.points.length, 0);
        output.write(
          `${state.elapsedSeconds.toFixed(0)} s: ${state.frames} frames, ${decisions} decisions\n`,
        );
      }
    },
    close() {
      // Lines need no farewell.
    },
  };
}

function cutLine(device: DeviceFigures, index: number): string {
  const point = device.points[index]!;
  const before = device.points[index - 1];
  const cut = (end: number): string => `${end}|${device.layerCount - end}`;
  const seconds = (value: number): string => (Number.isFinite(value) ? formatSeconds(value) : 'no link');
  const uplink = point.uplinkBitsPerSecond === null ? 'not measured' : formatRate(point.uplinkBitsPerSecond);
  return (
    `${point.atSeconds.toFixed(1)} s ${device.deviceId} ${device.modelName}: uplink ${uplink}, cut ` +
    `${before === undefined ? '' : `${cut(before.endLayerCount)} -> `}${cut(point.endLayerCount)}, ` +
    `${seconds(point.chosenSeconds)} (device-only ${seconds(point.deviceOnlySeconds)}, ` +
    `edge-only ${seconds(point.edgeOnlySeconds)}), search ${formatSeconds(point.searchNanoseconds / 1e9)}`
  );
}
