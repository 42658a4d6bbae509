/** Made-up figures in the shape of a recorded run, for looking at views and charts. */
import { createModelLink, linkKinds } from '../../src/demo/bandwidthModel.js';
import type { DecisionPoint, DeviceFigures } from '../../src/demo/fleetFigures.js';

export function sampleFleet(devices: number, seconds: number): DeviceFigures[] {
  return Array.from({ length: devices }, (_, index) => {
    const kind = linkKinds[index % linkKinds.length]!;
    const link = createModelLink(kind, index + 1);
    const points: DecisionPoint[] = [];
    let version = 0;
    let before = -1;
    for (let at = 0; at < seconds; at += 0.5) {
      const sample = link.advance(0.5);
      const uplink = sample.uplinkBitsPerSecond!;
      const edgeOnlySeconds = uplink < 100_000 ? Infinity : 4.8e6 / uplink + sample.rttSeconds! + 0.03;
      const deviceOnlySeconds = 0.18 + 0.02 * index;
      const chosenSeconds = Math.min(edgeOnlySeconds, deviceOnlySeconds, 2.1e6 / uplink + 0.12);
      const endLayerCount =
        chosenSeconds === edgeOnlySeconds ? 0 : chosenSeconds === deviceOnlySeconds ? 62 : 34;
      if (endLayerCount !== before) version += 1;
      before = endLayerCount;
      points.push({
        atSeconds: at,
        uplinkBitsPerSecond: uplink,
        rttSeconds: sample.rttSeconds ?? null,
        endSlowdown: 1.3,
        edgeQueueSeconds: 0.004,
        battery: { level: 0.61, charging: false },
        endLayerCount,
        version,
        chosenSeconds,
        deviceOnlySeconds,
        edgeOnlySeconds,
        searchNanoseconds: 1400 + 100 * index,
        violated: [],
      });
    }
    return {
      deviceId: `phone-${index + 1}`,
      edgeId: `edge-${1 + (index % 2)}`,
      modelName: index % 2 === 0 ? 'googlenet' : 'resnet-50',
      linkName: kind,
      computeRatio: 4 + index,
      layerCount: 62,
      points,
    };
  });
}
