/**
 * How a text becomes messages: the same rules as `bridge/translate/text.py` and `writer.py`.
 *
 * It is a preview; what the server makes of the text is what counts.
 */

const SPACE = '[^\\S\\u00a0\\u202f\\u2007]';
const STOPS = '\\u2026\\u061f\\u06d4\\u0964';
const QUOTES = '\\u2019\\u201d\\u00bb';
const WIDE_STOPS = '\\u3002\\uff01\\uff1f\\uff61';
const WIDE_QUOTES = '\\u2019\\u201d\\u300d\\u300f\\uff09';
const BREAKS = [
  ['\\n[^\\S\\n]*\\n\\s*', 0.5],
  ['\\n\\s*', 0.5],
  [`[.!?${STOPS}]{1,4}["'${QUOTES})\\]]{0,4}${SPACE}+`, 0.4],
  [`[${WIDE_STOPS}]{1,4}[${WIDE_QUOTES}]{0,4}\\s*`, 0.4],
  [`${SPACE}+`, 0],
].map(([pattern, filled]) => [new RegExp(pattern, 'gu'), filled]);
const ADDRESS = /(?:https?:\/\/|www\.)[^\s<>"\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]+/gu;
const GSM = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?'
  + '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const GSM_EXTENDED = new Set('^{}\\[~]|€\f');
const encoder = new TextEncoder();
const graphemes = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter() : null;

/** Return the bytes of a text in UTF-8. */
export function byteLength(text) {
  return encoder.encode(text).length;
}

function jsonLength(text) {
  return byteLength(JSON.stringify(text)) - 2;
}

/** The limits that hold for the messages of one call. */
export class Limits {
  /** @param {any} limits of settings.json @param {any} call */
  constructor(limits, call) {
    this.limits = limits;
    this.row = limits.channels[call?.channel] ?? limits.channels.WEB;
    const around = this.row.overhead
      ? 2 * jsonLength(call?.user_id ?? '')
        + (call?.channel_config_id ? jsonLength(call.channel_config_id) : this.row.config_id)
        + (call?.agent_nickname ? jsonLength(call.agent_nickname) : limits.longest.nickname)
        + (call?.agent_avatar ? jsonLength(call.agent_avatar) : limits.longest.avatar)
      : 0;
    /** The bytes that one message has for its content. */
    this.cap = Math.max(1, limits.bytes - this.row.overhead - around);
    const chars = [limits.chars, this.row.chars].filter((each) => each);
    this.chars = chars.length ? Math.min(...chars) : Infinity;
  }

  /** Return the bytes of a text, as they count towards the cap. */
  size(text) {
    const content = this.row.html ? escaped(text) : text;
    return this.limits.as_json ? jsonLength(content) : byteLength(content);
  }

  fits(text) {
    const content = this.row.html ? escaped(text) : text;
    if ([...content].length > this.chars) return false;
    if (this.row.segments && segments(content) > this.row.segments) return false;
    return (this.limits.as_json ? jsonLength(content) : byteLength(content)) <= this.cap;
  }

  /** Return the messages that a text becomes; `left` characters at its end are left out. */
  split(text) {
    const whole = text.trim();
    if (!whole) return { parts: [], left: 0 };
    if (this.fits(whole)) return { parts: [whole], left: 0 };
    const reserve = this.limits.part_numbers ? ' (99/99)' : '';
    const parts = [];
    let start = 0;
    while (start < whole.length && parts.length < this.limits.max_messages) {
      const end = this.#end(whole, start, reserve);
      if (end === start) break;
      const part = whole.slice(start, end).trimEnd();
      if (part) parts.push(part);
      start = end + (/^\s*/u.exec(whole.slice(end))?.[0].length ?? 0);
    }
    return { parts, left: [...whole.slice(start)].length };
  }

  #end(text, start, reserve) {
    let last = this.#longest(text, start, reserve);
    if (last === text.length) return last;
    const whole = wholeGraphemes(text, start, last);
    if (whole === start) return last;
    last = whole;
    const window = text.slice(start, Math.min(last + 1, text.length));
    for (const [pattern, filled] of BREAKS) {
      const ends = [...window.matchAll(pattern)]
        .map((match) => start + Math.min(match.index + match[0].length, last - start));
      const end = ends.pop();
      if (end !== undefined && end > start && end - start >= filled * (last - start)) return end;
    }
    return this.#beforeAddress(text, start, last);
  }

  #longest(text, start, reserve) {
    let [low, high] = [start, Math.min(text.length, start + this.cap)];
    if (this.fits(text.slice(start, high) + reserve)) return high;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.fits(text.slice(start, middle) + reserve)) low = middle;
      else high = middle;
    }
    return isLowSurrogate(text, low) ? low - 1 : low;
  }

  #beforeAddress(text, start, last) {
    for (const match of text.slice(start, last + this.cap).matchAll(ADDRESS)) {
      const [from, to] = [start + match.index, start + match.index + match[0].length];
      if (from >= last) break;
      if (to > last && from > start && this.fits(match[0])) return from;
    }
    return last;
  }
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    .replaceAll('\n', ' <br>\n');
}

function isLowSurrogate(text, place) {
  const code = text.charCodeAt(place);
  return code >= 0xdc00 && code <= 0xdfff;
}

function wholeGraphemes(text, start, last) {
  if (!graphemes) return last;
  let end = start;
  for (const { index, segment } of graphemes.segment(text.slice(start, last + 64))) {
    if (start + index + segment.length > last) break;
    end = start + index + segment.length;
  }
  return end;
}

function segments(text) {
  const chars = [...text];
  const gsm = chars.every((char) => GSM.has(char) || GSM_EXTENDED.has(char));
  const width = gsm ? (char) => (GSM_EXTENDED.has(char) ? 2 : 1) : (char) => char.length;
  const size = gsm ? 153 : 67;
  let [full, used] = [0, 0];
  for (const char of chars) {
    if (used + width(char) > size) [full, used] = [full + 1, 0];
    used += width(char);
  }
  return full + (used ? 1 : 0);
}
