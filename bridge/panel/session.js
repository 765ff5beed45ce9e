/**
 * The agent's token: taken from the address, kept for the tab, renewed by the single sign-on.
 *
 * The token is only sent in the Authorization header of requests to the bridge.
 */

import { now } from './clock.js';

const STORED = 'cc-token';
const POPUP = 'popup,width=480,height=680';

/** Holds the token; dispatches `change` when it comes or ends. */
export class Session extends EventTarget {
  /** @param {{ownPage: boolean}} options whether this is the bridge's own page */
  constructor({ ownPage }) {
    super();
    this.ownPage = ownPage;
    /** @type {string|null} */
    this.token = null;
    this.decoded = { token: null, claims: {} };
    this.popup = null;
    this.loginOrigin = null;
    this.expiry = 0;
    this.onMessage = (event) => this.#receive(event);
    window.addEventListener('message', this.onMessage);
    if (ownPage) {
      this.onHash = () => this.#takeFragment();
      window.addEventListener('hashchange', this.onHash);
      this.token = stored();
      this.#takeFragment();
    }
  }

  /** Begin to watch when the token expires; before, the server's time is not known. */
  start() {
    this.started = true;
    this.#watchExpiry();
  }

  /** Use a token; null ends the session. */
  use(token) {
    if (token === this.token) return;
    this.token = token;
    if (this.ownPage) store(token);
    this.#watchExpiry();
    this.dispatchEvent(new Event('change'));
  }

  /** End the session if this token is still the current one. */
  end(token = this.token) {
    if (token && token === this.token) this.use(null);
  }

  /** Return the claims of the token, unverified: the server verifies them, the panel shows them. */
  get claims() {
    if (this.decoded.token !== this.token) {
      this.decoded = { token: this.token, claims: claimsOf(this.token) };
    }
    return this.decoded.claims;
  }

  /** Return who is signed in, to keep what different agents type apart. */
  get subject() {
    const { aud, sub } = this.claims;
    return sub ? `${aud}:${sub}` : 'system';
  }

  /** Return the agent's ID, or null for supervisors and systems. */
  get agentId() {
    return this.claims.aud === 'agent' ? String(this.claims.sub) : null;
  }

  /** Return whether the token may read only. */
  get readOnly() {
    return this.claims.aud === 'supervisor';
  }

  /**
   * Open the page of the single sign-on; it posts `{token}` to this window. Returns whether the
   * browser permitted that.
   */
  openSignIn(address, origin) {
    this.loginOrigin = origin;
    this.popup = window.open(address, 'cc-sign-in', POPUP);
    return this.popup !== null;
  }

  /** Stop listening. */
  close() {
    window.removeEventListener('message', this.onMessage);
    if (this.onHash) window.removeEventListener('hashchange', this.onHash);
    clearTimeout(this.expiry);
  }

  #receive(event) {
    if (!this.popup || event.source !== this.popup || event.origin !== this.loginOrigin) return;
    const token = event.data?.token;
    if (typeof token !== 'string' || !token) return;
    this.popup.close();
    this.popup = null;
    this.use(token.trim());
  }

  #takeFragment() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const token = fragment.get('token');
    if (token === null) return;
    fragment.delete('token');
    const rest = fragment.toString();
    const address = location.pathname + location.search + (rest ? `#${rest}` : '');
    history.replaceState(history.state, '', address);
    if (token) this.use(token);
  }

  #watchExpiry() {
    clearTimeout(this.expiry);
    const { exp } = this.claims;
    if (!exp || !this.started) return;
    const token = this.token;
    const left = exp * 1000 - now();
    this.expiry = setTimeout(() => this.end(token), Math.min(Math.max(left, 0), 2 ** 31 - 1));
  }
}

function claimsOf(token) {
  try {
    const body = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

// A frame may not be allowed to store anything: then the token lives as long as the page.
function stored() {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function store(token) {
  try {
    if (token === null) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, token);
  } catch {
    // kept in memory
  }
}
