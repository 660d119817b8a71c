// Without a network the page stays as it is and says so. The last tap is kept, and sent when the network is back: its
// form has the same key then, so it is never applied twice. Pages of trouble ask by themselves until it is over.
"use strict";

{
  const KEPT_MS = 60_000; // after that, the associate taps again
  const FIRST_PAUSE_MS = 1_000;
  const LONGEST_PAUSE_MS = 30_000;
  const banner = document.getElementById("offline");
  const drop = banner?.querySelector("[data-drop]");
  let tap = null;
  let since = 0; // when the tap was lost for the first time
  let isAway = false;
  let pause = FIRST_PAUSE_MS;
  let timer = 0;

  function say(name) {
    banner.hidden = !name;
    banner.querySelector("p").textContent = banner.dataset[name] ?? "";
    drop.hidden = name !== "unsent";
  }

  async function isReachable(address) {
    try {
      return (await fetch(address, { method: "HEAD", cache: "no-store" })).ok;
    } catch {
      return false;
    }
  }

  async function probe() {
    window.clearTimeout(timer);
    if (!isAway) return;
    if (await isReachable(banner.dataset.probe)) {
      goOn();
    } else {
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      timer = window.setTimeout(probe, pause);
    }
  }

  function goOn() {
    if (!isAway) return;
    const send = tap;
    const isLate = send && Date.now() - since > KEPT_MS;
    tap = null;
    isAway = false;
    pause = FIRST_PAUSE_MS;
    say(isLate ? "late" : "");
    if (isLate) {
      since = 0;
    } else if (send) {
      send();
    } else if ("loading" in document.body.dataset) {
      window.location.reload(); // the skeleton has nothing to tap
    }
  }

  function lose(name, send) {
    isAway = true;
    if (send) {
      tap = send;
      since ||= Date.now();
    }
    say(name);
    window.clearTimeout(timer);
    timer = window.setTimeout(probe, pause);
  }

  function submitAgain(form, button) {
    if (form.isConnected) form.requestSubmit(button?.isConnected ? button : undefined);
  }

  // A request of htmx that came to nothing. What asks every few seconds asks again by itself.
  document.addEventListener("htmx:sendError", ({ detail: { elt, requestConfig, target } }) => {
    const name = navigator.onLine ? "unanswered" : "unsent";
    if (elt.matches("form")) {
      lose(name, () => submitAgain(elt, requestConfig.triggeringEvent?.submitter));
    } else if (elt.getAttribute("hx-trigger")?.startsWith("every")) {
      lose("away");
    } else {
      lose("away", () => elt.isConnected && window.htmx.ajax("GET", requestConfig.path, { source: elt, target }));
    }
  });
  document.addEventListener("htmx:afterOnLoad", () => {
    if (isAway) return goOn();
    since = 0;
    say("");
  });

  // Forms and links that the browser follows by itself would lead to its own error page.
  function hold(event) {
    const link = event.type === "click" && event.target.closest("a[href]");
    const leaves = event.type === "submit" || (link && link.protocol.startsWith("http"));
    if (navigator.onLine && !isAway) return;
    if (!leaves || event.defaultPrevented || event.target.closest("dialog")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target, submitter } = event;
    lose("unsent", link ? () => link.isConnected && link.click() : () => submitAgain(target, submitter));
  }

  // Another choice is another tap: what was tapped before it is not sent.
  function forget() {
    if (tap) {
      tap = null;
      since = 0;
      say("away");
    }
  }

  // The page of a form's answer has an address that cannot be asked for: the launch's own page takes its place.
  window.reloadWhenReachable = async () => {
    const { href } = window.location;
    const [launch] = /^.*\/l\/[^/]+\//.exec(href) ?? [href];
    if (await isReachable(href)) {
      window.location.reload();
    } else if (await isReachable(launch)) {
      window.location.replace(launch);
    } else {
      lose("away", () => window.reloadWhenReachable());
    }
  };

  // A page of trouble that names an address goes there as soon as it answers.
  async function heal(place, wait) {
    if (!place.isConnected) return;
    if (await isReachable(place.dataset.heal)) {
      window.location.replace(place.dataset.heal);
    } else {
      window.setTimeout(() => heal(place, Math.min(2 * wait, 2 * LONGEST_PAUSE_MS)), wait);
    }
  }
  function healing() {
    const place = document.querySelector("[data-heal]:not([data-heals])");
    if (place) {
      place.toggleAttribute("data-heals", true);
      window.setTimeout(() => heal(place, 4_000), 2_000);
    }
  }

  document.addEventListener("htmx:afterSwap", healing);
  healing();
  if (banner) {
    document.addEventListener("click", hold, true);
    document.addEventListener("submit", hold, true);
    document.addEventListener("change", forget);
    drop.addEventListener("click", forget);
    window.addEventListener("offline", () => lose(tap ? "unsent" : "away"));
    window.addEventListener("online", probe);
  }
}
