/**
 * Lists that can be long are read in pages: `limit` entries after the one with the id `after`. A page is made in one go,
 * so its largest size is what a few ms are enough for.
 */
import { Type } from 'typebox';

/** Entries of a page; some 10 to 30 µs each. */
export const maxPage = 200;
/** Decisions of a page: each is several kB of JSON that is read from the database. */
export const maxDecisionPage = 100;

export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: maxPage, default: 100 }),
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
  all: Iterable<T>,
  idOf: (entry: T) => string,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): { readonly entries: readonly T[]; readonly next: string | null } {
  const byId = (a: T, b: T) => (idOf(a) < idOf(b) ? -1 : 1);
  // the first of all, without sorting all: what is beyond the page so far is passed over
  const first: T[] = [];
  let beyond: string | null = null;
  const cut = (): string | null => {
    first.sort(byId).splice(limit + 1);
    return first.length > limit ? idOf(first[limit]!) : null;
  };
  for (const entry of all) {
    const id = idOf(entry);
    if ((after !== undefined && id <= after) || (beyond !== null && id >= beyond)) continue;
    if (first.push(entry) > 2 * limit + 1) beyond = cut();
  }
  cut();
  const entries = first.slice(0, limit);
  return { entries, next: first.length > limit ? idOf(entries.at(-1)!) : null };
}
