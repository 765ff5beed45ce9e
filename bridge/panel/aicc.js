/**
 * Beside the AICC workbench's script: hands the call ID of its events to the panel, nothing else.
 * This document has no token, and is the only one whose policy permits that script.
 */

const EVENTS = ['Init', 'Ringing', 'Talking', 'Release', 'Switch'];
const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/;
const panel = document.getElementById('panel');
let latest = null;

function hand(data) {
  const callid = String(data?.callid ?? '');
  if (!CALL_ID.test(callid)) return;
  latest = callid;
  panel.contentWindow.postMessage({ callid }, location.origin);
}

// What comes while the panel loads is handed over when it asks.
window.addEventListener('message', (event) => {
  if (event.source !== panel.contentWindow || event.origin !== location.origin) return;
  if (event.data === 'ready' && latest) hand({ callid: latest });
});

/* global AICCSupport */
if (typeof AICCSupport === 'undefined') {
  console.warn('page.aicc_script did not load, or defines no AICCSupport');
} else {
  for (const event of EVENTS) AICCSupport.addHandler(event, hand);
}
