// Points as money: the stepper's buttons, and a label on the main button that says what will happen.
"use strict";

function update(stepper) {
  const input = stepper.querySelector("input");
  const button = stepper.closest("form").querySelector("[data-label]");
  const language = document.documentElement.lang || undefined;
  const units = Number(stepper.dataset.units); // the smallest ones of the currency in one: 100 cents
  const worth = Math.floor(Number(input.value) * Number(stepper.dataset.value) * units + 1e-6) / units;
  const saving = Math.min(worth, Number(stepper.dataset.most));
  const money = new Intl.NumberFormat(language, { style: "currency", currency: stepper.dataset.currency });
  const points = new Intl.NumberFormat(language).format(Number(input.value));
  const label = button.dataset.label.replace("{saving}", money.format(saving)).replace("{points}", points);
  button.querySelector(".resting").textContent = label;
  stepper.closest(".card").querySelector("[data-points-used]").textContent = stepper.dataset.words.replace("{points}", points);
  stepper.closest(".card").querySelector(".saving").textContent = `−${money.format(saving)}`;
}

function prepare(root) {
  for (const stepper of root.querySelectorAll("[data-stepper]")) {
    update(stepper);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (button) {
    const input = button.parentElement.querySelector("input");
    if (button.dataset.step === "1") {
      input.stepUp();
    } else {
      input.stepDown();
    }
    // As if typed: whoever counts along (choose.js) hears it too.
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
document.addEventListener("input", (event) => {
  const stepper = event.target.closest("[data-stepper]");
  if (stepper) {
    update(stepper);
  }
});
document.addEventListener("htmx:afterSwap", () => prepare(document));
prepare(document);
// The points stand in their card's form: that of several has the browser check them, as the card's own does.
document.addEventListener("submit", (event) => {
  const isWrong = (input) => input.closest(".card").querySelector("[name=chosen]").checked && !input.reportValidity();
  if (event.target.id === "several" && [...document.querySelectorAll("[data-stepper] input")].some(isWrong)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
