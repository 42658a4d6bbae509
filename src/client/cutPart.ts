/** What of a cut is a device's own. */
import type { CutMessage } from '../protocol/messages.js';

export interface CutPart {
  /** Numbers of the layers that run here, ascending. None: what is received is passed on, where something is. */
  readonly layers: readonly number[];
  /** Tensors that come from the tier below; empty on the end device, which has the inputs of the model. */
  readonly receives: CutMessage['tensors'];
  /** Tensors that go to the tier above. */
  readonly sends: CutMessage['tensors'];
}

/** The part of the tier that `cut` was sent to. */
export function partOf(
  cut: Pick<CutMessage, 'tier' | 'layerCount' | 'endLayers' | 'edgeLayers' | 'tensors' | 'edgeTensors'>,
): CutPart {
  const { tier, layerCount, endLayers, edgeLayers, tensors, edgeTensors = [] } = cut;
  const allBut = (...elsewhere: readonly (readonly number[])[]): number[] => {
    const taken = new Set(elsewhere.flat());
    return Array.from({ length: layerCount }, (_, layer) => layer).filter((layer) => !taken.has(layer));
  };
  switch (tier) {
    case 'end':
      return { layers: endLayers, receives: [], sends: tensors };
    case 'edge':
      return { layers: edgeLayers ?? allBut(endLayers), receives: tensors, sends: edgeTensors };
    case 'cloud':
      // without `edgeLayers` there are two tiers, and the edge has the rest
      return {
        layers: edgeLayers === undefined ? [] : allBut(endLayers, edgeLayers),
        receives: edgeTensors,
        sends: [],
      };
  }
}
