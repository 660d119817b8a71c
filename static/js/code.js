// Each code's remaining time as words and ring, every second; and the copy buttons.
"use strict";

const announce = document.querySelector("[data-announce]");
const started = Date.now();

function show(left) {
  const row = left.closest(".code-row");
  const endsAt = started + Number(left.dataset.left) * 1000;
  const seconds = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  left.textContent = seconds ? left.dataset.words.replace("{time}", clock) : left.dataset.over;
  const share = (100 * seconds) / Number(left.dataset.life);
  row.querySelector("[data-ring]").setAttribute("stroke-dasharray", `${share} 100`);
  if (seconds <= 120) {
    left.parentElement.classList.add("short");
    // Spoken once, not each second; a page opened when it is nearer to one minute says how long is left.
    announce.textContent = announce.textContent || (seconds > 90 ? announce.dataset.warning : left.textContent);
  }
  return seconds;
}

const lefts = [...document.querySelectorAll("[data-left]")];
if (lefts.length) {
  const tick = () => {
    if (lefts.map(show).includes(0)) {
      // The server has the last word, and offers a new code.
      window.clearInterval(timer);
      window.setTimeout(() => window.reloadWhenReachable(), 1500);
    }
  };
  const timer = window.setInterval(tick, 1000);
  tick();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.querySelector("span");
  const before = words.textContent;
  button.classList.toggle("ready", Boolean(navigator.clipboard));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    words.textContent = button.dataset.done;
    window.setTimeout(() => { words.textContent = before; }, 2000);
  });
}
