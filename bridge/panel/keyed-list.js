/**
 * Lists of elements that are updated by key: only what changed is touched. A long list is built in
 * slices, so that the browser can paint, and the agent can type, in between.
 */

import { nextFrame } from './dom.js';

const SLICE = 6; // milliseconds of one frame that all lists together may use

/** @type {Set<KeyedList>} */
const unfinished = new Set();
let scheduled = false;

/** Continue the unfinished lists, and come back with the next frame if the time is up. */
function work() {
  const end = performance.now() + SLICE;
  for (const list of unfinished) {
    while (list.step()) {
      if (performance.now() < end) continue;
      if (!scheduled) {
        scheduled = true;
        nextFrame(() => {
          scheduled = false;
          work();
        });
      }
      return;
    }
    unfinished.delete(list);
  }
}

/**
 * @typedef {object} Item one element of a list
 * @property {HTMLElement} element
 * @property {(value: any) => void} update called when the value differs from the one before
 * @property {() => void} [remove] called when the element leaves the list
 */

/** One list. */
export class KeyedList {
  /**
   * @param {HTMLElement} parent
   * @param {(key: string, value: any) => Item} create
   */
  constructor(parent, create) {
    this.parent = parent;
    this.create = create;
    /** @type {Map<string, Item & {value: any}>} */
    this.items = new Map();
    this.entries = [];
    this.done = 0;
    this.next = null;
  }

  /**
   * Show these values, in this order: at once as far as a slice permits, the rest with the next
   * frames. Values are plain objects; an element whose value has the same fields is left alone.
   */
  set(entries) {
    this.#begin(entries);
    unfinished.add(this);
    work();
  }

  /** Show these values at once, however many there are. */
  setNow(entries) {
    this.#begin(entries);
    while (this.step());
    unfinished.delete(this);
  }

  /** Show the next value; return whether there was one. */
  step() {
    if (this.done >= this.entries.length) return false;
    const [key, value] = this.entries[this.done];
    this.done += 1;
    let item = this.items.get(key);
    if (!item) {
      item = { ...this.create(key, value), value: undefined };
      this.items.set(key, item);
    }
    if (!isSame(item.value, value)) {
      item.value = value;
      item.update(value);
    }
    if (item.element === this.next) this.next = this.next.nextElementSibling;
    else this.parent.insertBefore(item.element, this.next);
    return true;
  }

  /** Return keys in the order that is shown, followed by those that are new. */
  stable(keys) {
    const wanted = new Set(keys);
    const shown = this.entries.map(([key]) => key).filter((key) => wanted.has(key));
    return [...new Set([...shown, ...keys])];
  }

  #begin(entries) {
    const wanted = new Set(entries.map(([key]) => key));
    for (const [key, item] of this.items) {
      if (wanted.has(key)) continue;
      item.remove?.();
      item.element.remove();
      this.items.delete(key);
    }
    this.entries = entries;
    this.done = 0;
    this.next = this.parent.firstElementChild;
  }
}

function isSame(one, other) {
  if (one === undefined) return false;
  const keys = Object.keys(other);
  return keys.length === Object.keys(one).length && keys.every((key) => one[key] === other[key]);
}
