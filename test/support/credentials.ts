/**
 * Keys and tokens for the services that the tests of this process started. Whoever starts one remembers its admin key
 * here; clients of the tests find it by the origin, and make device tokens as operators do, over REST.
 */

const adminKeys = new Map<string, string>();
const tokens = new Map<string, Promise<string>>();

export function rememberAdminKey(origin: string, key: string): void {
  adminKeys.set(origin, key);
}

/** The key of an admin of the service at `origin`. */
export function adminKey(origin: string): string {
  const key = adminKeys.get(origin);
  if (key === undefined) throw new Error(`no admin key is known for ${origin}`);
  return key;
}

/** The header of an admin, for a request to the service at `origin`. */
export function asAdmin(origin: string): { readonly authorization: string } {
  return bearer(adminKey(origin));
}

export function bearer(credential: string): { readonly authorization: string } {
  return { authorization: `Bearer ${credential}` };
}

/** A token of the device at the service; the same one at each call. */
export function deviceToken(origin: string, deviceId: string): Promise<string> {
  const name = `${origin} ${deviceId}`;
  const known = tokens.get(name);
  if (known !== undefined) return known;
  const made = makeToken(origin, deviceId);
  tokens.set(name, made);
  return made;
}

async function makeToken(origin: string, deviceId: string): Promise<string> {
  const response = await fetch(`${origin}/v1/devices/${encodeURIComponent(deviceId)}/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...asAdmin(origin) },
    body: '{}',
  });
  if (response.status !== 201) throw new Error(`no token for ${deviceId}: ${await response.text()}`);
  return ((await response.json()) as { token: string }).token;
}
