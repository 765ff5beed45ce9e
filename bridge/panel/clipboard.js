/**
 * Copying: by the clipboard's API, else by the browser's command, else the text is selected and
 * the agent copies it.
 */

/**
 * Copy a text.
 * @param {string} text
 * @param {HTMLElement} shown the element that shows it
 * @returns {Promise<boolean>} whether it is in the clipboard
 */
export async function copyText(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // not permitted in this frame, or not a secure context
  }
  if (copyByCommand(text)) return true;
  getSelection()?.selectAllChildren(shown);
  return false;
}

function copyByCommand(text) {
  let copied = false;
  const write = (event) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
    copied = true;
  };
  document.addEventListener('copy', write, { capture: true, once: true });
  try {
    return document.execCommand('copy') && copied;
  } catch {
    return false;
  } finally {
    document.removeEventListener('copy', write, { capture: true });
  }
}
