// The customer card lies over the page, and the curtain over both. The page below keeps what is typed and chosen, and
// cannot be reached meanwhile.
"use strict";

(() => {
  const card = document.getElementById("card");
  const curtain = document.getElementById("curtain");
  const page = document.querySelectorAll("body > header, #content");
  const idle = Number(curtain.dataset.afterS) * 1000;
  let timer = 0;
  let before = null; // what had the focus
  let title = ""; // the page's, which may be a masked name

  function cover() {
    const isClosed = !curtain.hidden;
    const isOver = isClosed || card.childElementCount > 0;
    for (const part of page) part.inert = isOver;
    card.inert = isClosed;
    document.body.toggleAttribute("data-covered", isClosed);
  }

  function close() {
    // The answer of a tap is never covered: the associate waits for it.
    if (document.querySelector(".htmx-request, [data-sent], [data-loading]")) return wait();
    if (!curtain.hidden || document.querySelector("dialog[open]")) return;
    before = document.activeElement;
    title = document.title;
    document.title = curtain.innerText.trim();
    curtain.hidden = false;
    cover();
    curtain.querySelector("button").focus();
  }

  function wait() {
    clearTimeout(timer);
    if (idle) timer = setTimeout(close, idle);
  }

  function open() {
    curtain.hidden = true;
    document.title = title;
    cover();
    before?.focus?.({ preventScroll: true });
    wait();
  }

  function turnBack() {
    card.replaceChildren();
    cover();
    document.querySelector("[data-card]")?.focus();
  }

  curtain.addEventListener("click", open);
  card.addEventListener("htmx:afterSwap", () => {
    cover();
    card.querySelector("[data-card-close]")?.focus();
  });
  card.addEventListener("click", (event) => {
    if (event.target.closest("[data-card-close]")) {
      event.preventDefault();
      turnBack();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && curtain.hidden && card.childElementCount) turnBack();
  });
  for (const sign of ["pointerdown", "keydown", "scroll", "htmx:afterSwap"]) {
    document.addEventListener(sign, () => curtain.hidden && wait(), { passive: true, capture: true });
  }
  // Face down. Where the device asks for a permission first, the time alone decides.
  if (idle && window.DeviceOrientationEvent && !DeviceOrientationEvent.requestPermission) {
    window.addEventListener("deviceorientation", ({ beta, gamma }) => {
      if (beta !== null && Math.abs(beta) > 150 && Math.abs(gamma) < 30) close();
    });
  }
  // An app that was away for as long comes back with the curtain closed: no timer runs meanwhile.
  let left = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) left = Date.now();
    else if (idle && Date.now() - left >= idle) close();
  });
  wait();
})();
