/** The frames of cuts as text. What is the same for all deployments that run a cut is made into text once. */
import type { CutNotice } from '../control/ports.js';
import type { StoredCut } from '../control/records.js';
import type { CutMessage } from '../protocol/messages.js';

/** Of the cut itself, and of nothing else. */
type Content = Pick<
  CutMessage,
  'model' | 'layerCount' | 'endLayers' | 'edgeLayers' | 'tensors' | 'edgeTensors'
>;

export class CutTexts {
  /** Without its braces; kept as long as the cut is. */
  readonly #contents = new WeakMap<StoredCut, string>();

  constructor(private readonly timeToLiveMs: number) {}

  of(notice: CutNotice): string {
    const { deploymentId, version, phase, tier, predictedLatencySeconds } = notice;
    const head = { type: 'cut', deploymentId, version, phase, tier } as const satisfies Partial<CutMessage>;
    const tail = { predictedLatencySeconds, timeToLiveMs: this.timeToLiveMs } satisfies Omit<
      CutMessage,
      keyof typeof head | keyof Content
    >;
    return `{${fieldsOf(head)},${this.#content(notice)},${fieldsOf(tail)}}`;
  }

  #content(notice: CutNotice): string {
    const known = this.#contents.get(notice.cut);
    if (known !== undefined) return known;
    const text = fieldsOf(contentOf(notice));
    this.#contents.set(notice.cut, text);
    return text;
  }
}

function contentOf({ model, cut, tensors, edgeTensors }: CutNotice): Content {
  return {
    model,
    layerCount: cut.layerCount,
    endLayers: [...cut.endLayers],
    ...(cut.edgeLayers === undefined ? {} : { edgeLayers: [...cut.edgeLayers] }),
    tensors: tensorsOf(tensors),
    ...(edgeTensors === undefined ? {} : { edgeTensors: tensorsOf(edgeTensors) }),
  };
}

function tensorsOf(tensors: CutNotice['tensors']): CutMessage['tensors'] {
  return tensors.map(({ name, type, shape, bytes }) => ({ name, type, shape: [...shape], bytes }));
}

const fieldsOf = (value: object): string => JSON.stringify(value).slice(1, -1);
