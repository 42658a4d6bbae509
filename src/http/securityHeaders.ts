/** Headers of every answer: it is data for programs, never a page, and never kept by a cache. */
export function securityHeaders(isTls: boolean): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // a year; only a browser that came over TLS keeps it
    ...(isTls ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
