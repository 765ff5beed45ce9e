/**
 * Building and updating elements. All text is set by `textContent`; nothing here parses HTML.
 */

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [options] `text`, `on` (listeners by event), `class`; the rest are
 *   attributes: `true` sets one without a value, `false`, null and undefined leave it out.
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === 'text') element.textContent = value;
    else if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set, or remove, an attribute if it differs. */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Set the text of an element if it differs, so that screen readers announce changes only. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide an element. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Disable a button without taking the focus from it. */
export function setDisabled(button, disabled) {
  setAttribute(button, 'aria-disabled', disabled ? 'true' : null);
}

/** Return whether a button may be used. */
export function isDisabled(button) {
  return button.getAttribute('aria-disabled') === 'true';
}

/** Create a button that ignores presses while it is disabled. */
export function makeButton(text, press, options = {}) {
  const button = make('button', { type: 'button', text, ...options });
  button.addEventListener('click', (event) => {
    if (!isDisabled(button)) press(event);
  });
  return button;
}

/**
 * Return an address that may be opened, or null. Only http and https are links: `javascript:`,
 * `data:` and the rest are text.
 */
export function safeAddress(value) {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value.trim())) return null;
  try {
    const url = new URL(value.trim());
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

/** Open an address in a new tab that cannot reach this page. */
export function openOutside(url) {
  window.open(url.href, '_blank', 'noopener,noreferrer');
}

/** Return the focused element, also within shadow roots. */
export function focusedElement() {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}

/** Return whether the agent is at work in an element: it has the focus or the pointer. */
export function isBusy(element) {
  return element.matches(':hover') || element.matches(':focus-within');
}

/** A list of elements that is updated by key, so that what did not change is not touched. */
export class KeyedList {
  /**
   * @param {HTMLElement} parent
   * @param {(key: string, value: any) => {element: HTMLElement, update: (value: any) => void}} create
   */
  constructor(parent, create) {
    this.parent = parent;
    this.create = create;
    /** @type {Map<string, {element: HTMLElement, update: (value: any) => void}>} */
    this.items = new Map();
  }

  /** Show these values, in this order. Moves an element only if its place differs. */
  set(entries) {
    const wanted = new Set(entries.map(([key]) => key));
    for (const [key, item] of this.items) {
      if (wanted.has(key)) continue;
      item.element.remove();
      this.items.delete(key);
    }
    let next = this.parent.firstElementChild;
    for (const [key, value] of entries) {
      let item = this.items.get(key);
      if (!item) {
        item = this.create(key, value);
        this.items.set(key, item);
      }
      item.update(value);
      if (item.element === next) next = next.nextElementSibling;
      else this.parent.insertBefore(item.element, next);
    }
  }

  /** Keep the present order, and append what is new. */
  stable(keys) {
    const wanted = new Set(keys);
    const present = [...this.items.keys()].filter((key) => wanted.has(key));
    return [...present, ...keys.filter((key) => !this.items.has(key))];
  }
}
