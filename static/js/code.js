// The code's remaining time as words and ring, each second; and the copy button.
"use strict";

const left = document.querySelector("[data-left]");
if (left) {
  const endsAt = Date.now() + Number(left.dataset.left) * 1000;
  const ring = document.querySelector("[data-ring]");
  const announce = document.querySelector("[data-announce]");
  const tick = () => {
    const seconds = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    left.textContent = left.dataset.words.replace("{time}", clock);
    ring.setAttribute("stroke-dasharray", `${(100 * seconds) / Number(left.dataset.life)} 100`);
    if (seconds <= 120 && !announce.textContent) {
      // Spoken once, not each second.
      announce.textContent = announce.dataset.warning;
      left.parentElement.classList.add("short");
      document.body.classList.add("short-time");
    }
    if (seconds === 0) {
      // The server has the last word, and offers a new code.
      left.textContent = left.dataset.over;
      window.clearInterval(timer);
      window.setTimeout(() => window.location.reload(), 1500);
    }
  };
  const timer = window.setInterval(tick, 1000);
  tick();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.querySelector("span");
  const before = words.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    words.textContent = button.dataset.done;
    window.setTimeout(() => { words.textContent = before; }, 2000);
  });
}
