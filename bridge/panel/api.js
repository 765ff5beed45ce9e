/**
 * Requests to the bridge's API.
 */

/** A request that was refused or did not arrive. `status` is 0 if there was no response. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const TIMEOUT = 20_000;

/** The API, with the session's token. */
export class Api {
  /**
   * @param {URL} base the address that `bridge/` is relative to
   * @param {import('./session.js').Session} session
   */
  constructor(base, session) {
    this.base = base;
    this.session = session;
  }

  /** Return the address of a path below `/bridge/`. */
  address(path) {
    return new URL(`bridge/${path}`, this.base);
  }

  get(path) {
    return this.#ask('GET', path);
  }

  post(path, body = {}) {
    return this.#ask('POST', path, body);
  }

  put(path, body) {
    return this.#ask('PUT', path, body);
  }

  /** Return all items of a list. */
  async all(path) {
    const items = [];
    let cursor = null;
    do {
      const separator = path.includes('?') ? '&' : '?';
      const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
      const page = await this.get(`${path}${separator}limit=200${next}`);
      items.push(...page.items);
      cursor = page.next;
    } while (cursor);
    return items;
  }

  async #ask(method, path, body) {
    const token = this.session.token;
    if (!token) throw new ApiError(401, 'unauthorized', '');
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(this.address(path), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      throw new ApiError(0, 'unreachable', '');
    }
    const value = await response.json().catch(() => null);
    if (response.ok) return value;
    if (response.status === 401) this.session.end(token);
    throw new ApiError(response.status, value?.error?.code ?? '', value?.error?.message ?? '');
  }
}

/** Return an ID that is unique, also where the page is not in a secure context. */
export function uniqueId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
