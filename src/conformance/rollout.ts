/** One deployment as a scenario drives it: the link of its end device moves the cut, frames show what comes of it. */
import type { Message } from './inbox.js';
import type { Operator, View } from './operator.js';
import { Unmet } from './outcome.js';
import type { Peer } from './peer.js';

export interface RolloutOptions {
  readonly endHello?: object;
  readonly edgeHello?: object;
}

/** Where the layers run: all on the end device, some, none of them. */
export type Placement = 'end' | 'split' | 'edge';

/** Links at which that placement is the best one by far. */
export const links = {
  end: { uplinkBitsPerSecond: 1e3, downlinkBitsPerSecond: 1e3, rttSeconds: 1 },
  split: { uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.002 },
  edge: { uplinkBitsPerSecond: 2e10, downlinkBitsPerSecond: 2e10, rttSeconds: 0.0005 },
} as const;

/** Telemetry is told again after this: a server may want to see a change more than once before it acts. */
const tellAgainMs = 100;

/** Matches a version above this one. Without it a cut is matched that came before, and that nobody has looked at. */
export const newerThan =
  (version: number) =>
  (value: unknown): boolean =>
    Number(value) > version;

export class Rollout {
  constructor(
    private readonly stage: { readonly operator: Operator; readonly signal: AbortSignal },
    readonly id: string,
    public end: Peer,
    public edge: Peer,
  ) {}

  /** Both answer cuts as they should. */
  obey(): this {
    this.end.obey();
    this.edge.obey();
    return this;
  }

  /** Both keep silent about cuts. */
  resist(): this {
    this.end.resist();
    this.edge.resist();
    return this;
  }

  /** Sends the link at which `placement` is best, once. */
  tell(placement: Placement): void {
    this.end.telemetry(links[placement]);
  }

  /**
   * Tells of a link until `done` is fulfilled.
   * @param more what else is told each time
   * @returns what `done` returns
   */
  async telling<T>(placement: Placement, done: Promise<T>, more: () => void = () => undefined): Promise<T> {
    const tell = (): void => {
      this.tell(placement);
      more();
    };
    tell();
    const timer = setInterval(tell, tellAgainMs);
    try {
      return await done;
    } finally {
      clearInterval(timer);
    }
  }

  /** Moves the link until a peer is sent a cut of that placement, in that phase where one is given. */
  cutFor(
    peer: Peer,
    placement: Placement,
    pattern: Readonly<Record<string, unknown>> = {},
  ): Promise<Message> {
    const cut = peer.inbox.expect('cut', { deploymentId: this.id, ...pattern, ...of(placement) });
    return this.telling(placement, cut);
  }

  /** Both devices obey until the server shows them both at a version of that placement. @returns that version */
  async settle(placement: Placement, withinMs = 5_000): Promise<number> {
    for (const peer of [this.end, this.edge]) peer.obey();
    return this.telling(placement, this.#settled(placement, withinMs));
  }

  /** The deployment as operators see it. @throws Unmet where it cannot be read */
  async view(): Promise<View> {
    const { status, view } = await this.stage.operator.call(
      'GET',
      `/v1/deployments/${this.id}`,
      undefined,
      this.stage.signal,
    );
    if (status !== 200) throw new Unmet(`the deployment cannot be read: ${status}`);
    return view;
  }

  /** Waits until operators see what `look` looks for. @throws Unmet with the last view */
  async until<T>(what: string, look: (view: View) => T | undefined, withinMs = 3_000): Promise<T> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const view = await this.view();
      const found = look(view);
      if (found !== undefined) return found;
      if (performance.now() > endMs) {
        throw new Unmet(`${what} is not seen by operators; the deployment is ${JSON.stringify(view.value)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #settled(placement: Placement, withinMs: number): Promise<number> {
    const tiers: readonly ('end' | 'edge')[] = placement === 'end' ? ['end'] : ['end', 'edge'];
    const look = (view: View): number | undefined => {
      const version = view.at('version');
      const [onEnd, all] = [view.at('endLayerCount'), view.at('layerCount')];
      const fits =
        typeof onEnd === 'number' && typeof all === 'number' && placementOf(onEnd, all) === placement;
      const active = tiers.every((tier) => view.at('reported', tier) === version);
      return fits && active && typeof version === 'number' ? version : undefined;
    };
    return this.until(`a cut "${placement}" that is active on ${tiers.join(' and ')}`, look, withinMs);
  }
}

function placementOf(layersOnEnd: number, layers: number): Placement {
  if (layersOnEnd === layers) return 'end';
  return layersOnEnd === 0 ? 'edge' : 'split';
}

/** A pattern for cuts of that placement. */
function of(placement: Placement): Readonly<Record<string, unknown>> {
  const empty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
  switch (placement) {
    case 'end':
      return { tensors: empty };
    case 'edge':
      return { endLayers: empty };
    case 'split':
      return {
        endLayers: (value: unknown) => Array.isArray(value) && value.length > 0,
        tensors: (value: unknown) => Array.isArray(value) && value.length > 0,
      };
  }
}
