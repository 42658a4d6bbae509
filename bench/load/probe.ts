/**
 * A pair whose link comes and goes, so that each frame of its end device must change the cut: the time from that frame
 * to its cut is known without doubt, also where the controller is far behind. The next frame goes when the cut is there.
 */
import type { Device } from './device.js';

const linkThere = '"uplinkBitsPerSecond":1000000000,"downlinkBitsPerSecond":1000000000,"rttSeconds":0.001}';
const linkGone = '"uplinkBitsPerSecond":0,"downlinkBitsPerSecond":0}';
/** A cut that is not there after this counts as lost. */
const patienceMs = 3000;

export class Probe {
  readonly samplesMs: number[] = [];
  lost = 0;
  sent = 0;
  #isThere = false;
  #sentAt: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly end: Device,
    private readonly edge: Device,
    /** Mean time from a cut to the next frame: probes measure, and must not be the load. */
    private readonly idleMs: number,
  ) {}

  /** Forgets what it measured. */
  start(): void {
    this.samplesMs.length = 0;
    this.lost = 0;
    this.sent = 0;
    if (this.edge.tell('"cpuLoad":0.1}')) this.sent++;
    this.#later();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#sentAt = null;
  }

  /** Its end device has a new cut. */
  cut(): void {
    if (this.#sentAt === null) return;
    this.samplesMs.push(performance.now() - this.#sentAt);
    clearTimeout(this.#timer);
    this.#later();
  }

  #later(): void {
    this.#sentAt = null;
    const waitMs = this.idleMs * (0.5 + Math.random());
    this.#timer = setTimeout(() => this.#flip(), waitMs);
  }

  #flip(): void {
    this.#isThere = !this.#isThere;
    if (this.end.tell(this.#isThere ? linkThere : linkGone)) {
      this.sent++;
      this.#sentAt = performance.now();
    }
    this.#timer = setTimeout(() => {
      if (this.#sentAt !== null) this.lost++;
      this.#later();
    }, patienceMs);
  }
}
