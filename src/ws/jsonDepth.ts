/** How deep a JSON text is nested, seen before anything is built of it. */

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** True when more than `limit` objects and arrays stand in one another. Brackets in strings do not count. */
export function isDeeperThan(text: string, limit: number): boolean {
  if (!hasMoreOpenings(text, limit)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote:
        i = endOfString(text, i + 1);
        break;
      case openBracket:
      case openBrace:
        if (++depth > limit) return true;
        break;
      case closeBracket:
      case closeBrace:
        depth--;
        break;
      default:
    }
  }
  return false;
}

/** Whether more than `limit` objects and arrays begin, those in strings counted too: nearly always not, and soon said. */
function hasMoreOpenings(text: string, limit: number): boolean {
  let count = 0;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

/** Where the string that began before `from` ends; the end of the text for one without end. */
function endOfString(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === quote) return i;
    if (character === backslash) i++;
  }
  return text.length;
}
