// The app opens an address and injects an object into the page: items, codes that are in the cart, colours. It is
// sent to the server once; nothing on the page waits for it.
"use strict";

const host = document.getElementById("host");
// Taps made before this script was there show in the boxes and fields.
const fields = [...document.querySelectorAll("#content input")];
let isTouched = fields.some((each) => each.checked !== each.defaultChecked || each.value !== each.defaultValue);
let awaited = "";

function showContent(address) {
  if (isTouched || document.body.dataset.page !== "member") {
    return; // the next page shows it
  }
  if ("loading" in document.body.dataset) {
    // What is on its way may have been read before.
    document.addEventListener("htmx:afterSwap", () => showContent(address), { once: true });
  } else {
    awaited = address;
    window.htmx.ajax("GET", address, { target: "#content" });
  }
}

// Never swap the content while the associate works on it: they may have begun to choose, to type, or pressed a
// button.
for (const name of ["click", "input", "keydown"]) {
  document.addEventListener(name, (event) => {
    isTouched ||= event.isTrusted && !("loading" in document.body.dataset);
  }, true);
}
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (isTouched && awaited && detail.requestConfig.path === awaited) {
    detail.shouldSwap = false;
  }
});

async function send() {
  host.elements.context.value = JSON.stringify(window.NEWSTORE);
  const answer = await fetch(host.action, { method: "POST", body: new URLSearchParams(new FormData(host)) });
  if (answer.status !== 200) {
    return;
  }
  const { content, theme } = await answer.json();
  if (theme) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: theme });
    document.head.append(link);
  }
  if (content) {
    showContent(content);
  }
}

function listen(triesLeft) {
  if (window.NEWSTORE && typeof window.NEWSTORE === "object") {
    send().catch(() => {}); // no network, or the page is left: the next page sends it
  } else if (triesLeft > 0) {
    // The app may inject its object a moment after the page.
    window.setTimeout(() => listen(triesLeft - 1), 100);
  }
}

listen(20);
