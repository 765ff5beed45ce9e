/**
 * When a send counts. What an agent could not have meant does not: a press on something that has
 * only just come, right after the conversation changed, or in a frame that was not in front.
 */

const PAUSE = 700; // milliseconds
const ARMED = 5000; // milliseconds that a first press waits for the second

/** Decides whether sending is possible now. */
export class SendGuard {
  /**
   * @param {object} options
   * @param {HTMLElement} options.host
   * @param {boolean} options.framed whether the panel is in another page's frame
   * @param {boolean} options.confirm whether a frame asks for a second press
   */
  constructor({ host, framed, confirm }) {
    this.host = host;
    this.framed = framed;
    this.confirm = framed && confirm;
    this.changedAt = -Infinity;
    this.inFrontSince = Infinity;
    this.inView = true;
    this.armed = null;
    if (framed) this.#watch();
  }

  /** Note that the conversation changed by F4 or from outside. */
  conversationChanged() {
    this.changedAt = performance.now();
    this.armed = null;
  }

  /**
   * Return why sending is not possible, or null.
   * @param {string} what identifies what is sent, for the second press
   * @param {number} [shownAt] when it was first seen
   */
  refusal(what, shownAt = -Infinity) {
    const now = performance.now();
    if (now - shownAt < PAUSE || now - this.changedAt < PAUSE) return 'too_soon';
    if (this.framed && !(now - this.inFrontSince >= PAUSE)) return 'not_in_front';
    if (!this.confirm) return null;
    const armed = this.armed?.what === what && now - this.armed.at;
    if (armed !== false && armed >= PAUSE / 2 && armed <= ARMED) {
      this.armed = null;
      return null;
    }
    if (armed === false || armed > ARMED) this.armed = { what, at: now };
    return 'confirm';
  }

  /** Stop watching. */
  close() {
    this.observer?.disconnect();
    window.removeEventListener('focus', this.look);
    window.removeEventListener('blur', this.look);
    document.removeEventListener('visibilitychange', this.look);
  }

  #watch() {
    this.look = () => {
      const inFront = this.inView && document.visibilityState === 'visible' && document.hasFocus();
      if (!inFront) this.inFrontSince = Infinity;
      else if (this.inFrontSince === Infinity) this.inFrontSince = performance.now();
    };
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries.at(-1).isIntersecting;
      this.look();
    });
    this.observer.observe(this.host);
    window.addEventListener('focus', this.look);
    window.addEventListener('blur', this.look);
    document.addEventListener('visibilitychange', this.look);
    this.look();
  }
}
