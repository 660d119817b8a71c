// Small glue for every page: times in the device's own zone, and the page's name after a swap.
"use strict";

function localTimes(root) {
  const language = document.documentElement.lang || undefined;
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.textContent = at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
    }
  }
}

// The device knows where its day begins; the server does not.
function zoned(root) {
  const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || "");
  for (const link of root.querySelectorAll("a[data-zoned]")) {
    link.search = `?zone=${zone}`;
  }
}

// The scan buttons show where the browser reads codes by itself or can run a reader (iOS in lockdown mode can do
// neither); the scanner is loaded by the first tap.
function scannable(root) {
  for (const button of root.querySelectorAll("[data-scan]")) {
    button.hidden = !("BarcodeDetector" in window || "WebAssembly" in window);
  }
}

// What the content calls the page, once it is there.
function arrived(root) {
  const named = root.querySelector("[data-page-name]");
  if (named) {
    document.body.dataset.page = named.dataset.pageName;
    delete document.body.dataset.loading;
  }
}

// The content came behind the frame, so the frame goes, or what it shows stays where the program gave no answer.
// Where the connection broke, the frame stays: htmx asks again.
const frame = document.getElementById("early");
if (frame?.nextElementSibling) {
  if (frame.nextElementSibling.hasAttribute("data-stays")) frame.replaceWith(...frame.childNodes);
  frame.remove();
  for (const { value } of frame.querySelectorAll("[name=chosen]:checked")) // meanwhile: it stays chosen
    document.querySelector(`[name=chosen][value="${CSS.escape(value)}"]`)?.click();
  arrived(document);
}

localTimes(document);
zoned(document);
scannable(document);

// A picture that cannot be read leaves its quiet square, not the browser's sign of a broken picture.
document.addEventListener(
  "error",
  ({ target }) => {
    if (!target.matches?.("img.picture")) return;
    const square = document.createElement("span");
    square.className = "picture";
    target.replaceWith(square);
  },
  true,
);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-scan]");
  if (button) {
    const { scan } = await import(button.dataset.script);
    scan(document.getElementById(button.dataset.scan));
  }
});

// Where the launch has expired or the server has failed, the answer is a whole page: we show its content. A proxy's
// error page does not help an associate: our own page is loaded again instead, as soon as it can be (network.js).
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target === document.body) {
    return; // the page with the customer's PIN is to replace the header, too
  }
  if (/^\s*<(!doctype|html)/i.test(detail.serverResponse)) {
    if (detail.serverResponse.includes('<main id="content">')) {
      detail.selectOverride = "#content > *";
    } else {
      detail.shouldSwap = false;
      window.reloadWhenReachable();
    }
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  arrived(event.target);
  localTimes(document);
  scannable(document);
});

// WebKit scrolls to the field that has the focus, not to the error below it, which the bar may cover.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  target.querySelector("[role=alert][data-error]")?.scrollIntoView({ block: "nearest" });
});

// A chosen card, and the stepper that opened in it, must not hide behind the bar.
document.addEventListener("change", (event) => {
  if (event.target.name === "chosen") {
    event.target.closest(".card").scrollIntoView({ block: "nearest" });
  }
});

// A form that htmx does not send, undo for example: its button shows that it was pressed until the answer comes.
document.addEventListener("submit", ({ submitter, defaultPrevented }) => {
  submitter?.toggleAttribute("data-sent", !defaultPrevented);
});
window.addEventListener("pageshow", () => {
  document.querySelector("[data-sent]")?.removeAttribute("data-sent");
});

// A press brings the whole contact into the page (views/reveal.py); some seconds later it is out of it again.
let masking = 0;

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches(".clear")) {
    window.clearTimeout(masking);
    masking = window.setTimeout(() => target.replaceChildren(), 6000);
  }
});

// Without a touch listener iOS gives pressed buttons no :active state.
document.addEventListener("touchstart", () => {}, { passive: true });
