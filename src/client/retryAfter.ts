/** How long an HTTP answer asks to stay away. */

/**
 * @param headers of the answer, names in lower case
 * @returns ms of `Retry-After`: seconds, or a time of day, which is held against the `Date` of the same answer, for the
 *   clock here may be wrong; null where there is none that can be read
 */
export function retryAfterMs(headers: {
  readonly 'retry-after'?: string | undefined;
  readonly date?: string | undefined;
}): number | null {
  const asked = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(asked)) return Number(asked) * 1_000;
  const waitMs = Date.parse(asked) - Date.parse(headers.date ?? '');
  return /[a-z]/i.test(asked) && Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
