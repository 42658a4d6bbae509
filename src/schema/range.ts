/** From where to where of one measured value a cut stays the best. */
import { Type } from 'typebox';

export const RangeSchema = Type.Object(
  {
    value: Type.String({ description: 'Name in the context, e.g. hops[0].uplinkBitsPerSecond' }),
    present: Type.Number({ minimum: 0 }),
    from: Type.Number({ minimum: 0, description: '0: however small the value gets' }),
    to: Type.Unsafe<number | null>({
      type: ['number', 'null'],
      description: 'Null: however large the value gets',
    }),
  },
  {
    additionalProperties: false,
    description: 'Between `from` and `to` the cut stays the best while every other value stays',
  },
);
