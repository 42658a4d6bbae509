/** Lists that can be long are read in pages: `limit` entries after the one with the id `after`. */
import { Type } from 'typebox';

export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
  after: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: '`next` of the page before' }),
  ),
});

export const NextSchema = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  description: 'Give it as `after` to read on; null: this was the last page',
});

/** A page of `all` in the order of ids, so that what is added meanwhile neither repeats nor hides an entry. */
export function page<T>(
  all: readonly T[],
  idOf: (entry: T) => string,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): { readonly entries: readonly T[]; readonly next: string | null } {
  const byId = (a: T, b: T) => (idOf(a) < idOf(b) ? -1 : 1);
  const rest = all.filter((entry) => after === undefined || idOf(entry) > after).sort(byId);
  const entries = rest.slice(0, limit);
  return { entries, next: rest.length > limit ? idOf(entries.at(-1)!) : null };
}
