/**
 * `<cc-suggestions>`: the agents' panel as a custom element.
 *
 * On the bridge's own page it takes its token from the address. A desktop of another origin (which
 * `page.element_origins` lists) sets the property `token`:
 *
 *     <script type="module" src="https://bridge.example/inbox/cc-suggestions.js"></script>
 *     <cc-suggestions embed callid="1552524689-16797284"></cc-suggestions>
 *     document.querySelector('cc-suggestions').token = token;
 *
 * Attributes: `callid` and `workno` select, `embed` shows one conversation without the list, `lang`
 * chooses the language. Setting `callid` later shows another conversation.
 */

import { setClock } from './clock.js';
import { chooseLanguage, currentLanguage, loadLanguage } from './i18n.js';
import { Panel } from './panel.js';
import { Session } from './session.js';

const HERE = new URL('./', import.meta.url);
const BRIDGE = new URL('../', HERE);
const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The element. */
export class CcSuggestions extends HTMLElement {
  static observedAttributes = ['callid', 'workno'];

  constructor() {
    super();
    this.root = this.attachShadow({ mode: 'open' });
    const ownPage = HERE.origin === location.origin && location.pathname.startsWith(HERE.pathname.slice(0, -1));
    this.session = new Session({ ownPage });
    this.onMessage = (event) => this.#receive(event);
    if (Object.hasOwn(this, 'token')) { // set before this module was loaded
      const { token } = this;
      delete this.token;
      this.token = token;
    }
  }

  /** The agent's token; a desktop sets it, and sets a new one before it ends. */
  get token() {
    return this.session.token;
  }

  set token(token) {
    this.session.use(token || null);
  }

  connectedCallback() {
    window.addEventListener('message', this.onMessage);
    this.started ??= this.#start();
  }

  disconnectedCallback() {
    window.removeEventListener('message', this.onMessage);
    this.started = null;
    this.panel?.close();
    this.panel = null;
    this.root.replaceChildren();
  }

  attributeChangedCallback(name, before, value) {
    if (!this.panel || before === value) return;
    if (name === 'callid') this.#select(value);
    else this.panel.filterAgent(value);
  }

  async #start() {
    const asked = Date.now();
    const response = await fetch(new URL('settings.json', HERE), { cache: 'no-store' });
    const read = Date.now();
    this.settings = await response.json();
    setClock(this.settings.now, asked, read);
    const wanted = this.lang ? [this.lang] : navigator.languages;
    await Promise.all([
      loadLanguage(HERE, chooseLanguage(wanted, this.settings.languages)),
      this.#style(),
    ]);
    if (!this.isConnected) return;
    this.session.start();
    if (this.session.ownPage) document.documentElement.lang = currentLanguage();
    this.panel = new Panel({
      host: this,
      settings: this.settings,
      session: this.session,
      base: BRIDGE,
      embedded: this.hasAttribute('embed'),
    });
    this.panel.element.lang = currentLanguage();
    this.root.append(this.panel.element);
    this.panel.filterAgent(this.session.agentId ? null : this.getAttribute('workno'));
    const callId = this.getAttribute('callid');
    if (CALL_ID.test(callId ?? '')) this.panel.select(callId);
    if (this.settings.aicc && window.parent !== window && this.session.ownPage) {
      window.parent.postMessage('ready', HERE.origin); // to /inbox/aicc, see aicc.js
    }
  }

  async #style() {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = new URL('panel.css', HERE).href;
    const loaded = new Promise((resolve) => {
      link.addEventListener('load', resolve);
      link.addEventListener('error', resolve);
    });
    this.root.append(link);
    await loaded;
  }

  /** A page that frames the panel selects a conversation; nothing else is taken from a message. */
  #receive(event) {
    if (window.parent === window || event.source !== window.parent) return;
    const allowed = [...(this.settings?.frame_ancestors ?? [])];
    if (this.settings?.aicc) allowed.push(HERE.origin);
    if (allowed.includes(event.origin)) this.#select(event.data?.callid);
  }

  #select(callId) {
    if (typeof callId === 'string' && CALL_ID.test(callId)) this.panel?.selectFromOutside(callId);
  }
}

customElements.define('cc-suggestions', CcSuggestions);
