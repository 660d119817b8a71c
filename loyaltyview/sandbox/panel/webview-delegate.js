// Runs inside the framed page, in place of a native navigation delegate: it reads the addresses that the page
// opens, stops those of the app, and tells the app (the panel around the frame).
(() => {
  "use strict";
  const SCHEME = "com.newstore.associate-one:";
  const panel = document.currentScript.dataset.panel;
  if (window.parent === window) return;

  const report = (url) => window.parent.postMessage({ type: "associate-app:navigate", url }, panel);
  const isForApp = (url) => String(url ?? "").startsWith(SCHEME);

  if ("navigation" in window) {
    // For links, scripts and meta refresh; seen in Chromium 156.
    navigation.addEventListener("navigate", (event) => {
      if (!isForApp(event.destination.url)) return;
      if (event.cancelable) event.preventDefault();
      report(event.destination.url);
    });
    return;
  }

  // Browsers without the Navigation API: taps and meta refresh are seen, a script's navigation is not.
  // A page that leaves by script also shows the address as a link, so that link is used.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !isForApp(link.getAttribute("href"))) return;
    event.preventDefault();
    report(link.getAttribute("href"));
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    const refresh = document.querySelector('meta[http-equiv="refresh" i]');
    const [, delay, url] = /^\s*(\d+)\s*;\s*url=(.+)$/i.exec(refresh?.content ?? "") ?? [];
    if (isForApp(url)) setTimeout(report, Number(delay) * 1000, url);
  });
  const watching = setInterval(() => {
    const link = document.querySelector('body[data-page="applied"] #handoff');
    if (!link) return;
    clearInterval(watching);
    report(link.getAttribute("href"));
  }, 500);
})();
