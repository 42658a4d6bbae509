/** Enough of an XML reader to find a document that is not well-formed. */
import assert from 'node:assert/strict';

const token = /<(\/?)([A-Za-z][\w:-]*)((?:\s+[A-Za-z][\w:-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/y;

/** Asserts that `text` is one well-formed element with properly nested children; counts elements by name. */
export function assertWellFormed(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  let roots = 0;
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    assert.ok(match, `not well-formed at ${at}: ${text.slice(at, at + 60)}`);
    const [, closing, name, , selfClosing, characters] = match;
    if (characters !== undefined) {
      assert.doesNotMatch(characters, /&(?!(amp|lt|gt|quot|apos|#\d+);)/, 'a bare ampersand');
      assert.ok(open.length > 0 || characters.trim() === '', `text outside the root: ${characters}`);
    } else if (closing === '/') {
      assert.equal(open.pop(), name, 'closes what was opened last');
    } else {
      if (open.length === 0) roots += 1;
      counts.set(name!, (counts.get(name!) ?? 0) + 1);
      if (selfClosing !== '/') open.push(name!);
    }
  }
  assert.deepEqual(open, [], 'nothing is left open');
  assert.equal(roots, 1, 'one root');
  return counts;
}
