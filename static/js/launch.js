// The launch that no server sees: the URL's fragment (base64 of JSON in UTF-8), or the object that the app
// injects. It is posted as JSON text by a real form, so that the answer is a real navigation.
"use strict";

function fromFragment() {
  const raw = decodeURIComponent(window.location.hash.slice(1));
  if (!raw) {
    return "";
  }
  const plain = raw.replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

// The fragment has priority; the injected object adds what it lacks, such as the theme and the cart.
function merge(injected, said) {
  return { ...injected, ...said, contextProps: { ...injected.contextProps, ...said.contextProps } };
}

function read() {
  const injected = window.NEWSTORE && typeof window.NEWSTORE === "object" ? window.NEWSTORE : null;
  try {
    const text = fromFragment();
    if (text) {
      return injected ? JSON.stringify(merge(injected, JSON.parse(text))) : text;
    }
  } catch {
    // The server explains what it cannot parse.
    return window.location.hash.slice(1);
  }
  return injected ? JSON.stringify(injected) : "";
}

function post(text) {
  const form = document.getElementById("launch");
  form.elements.context.value = text;
  // The object may still come: then the page that this opens sends it (host.js).
  form.elements.awaits.value = window.NEWSTORE ? "" : "1";
  // The fragment must not stay in the history beside the page it opened.
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  form.submit();
}

function start(triesLeft) {
  const text = read();
  if (text) {
    post(text);
  } else if (triesLeft > 0) {
    // The app may inject its object a moment after the page.
    window.setTimeout(() => start(triesLeft - 1), 100);
  }
}

start(20);
