// Points as money: slider, chips and the two buttons set the one number field, always to a step that the program
// takes. What a number saves is the server's to say (choose.js).
"use strict";

const fieldIn = (stepper) => stepper.querySelector("input[type=number]");

// The largest step that is not above `points`.
function stepOf(field, points) {
  const [least, most, step] = [field.min, field.max, field.step].map(Number);
  const wanted = Math.min(Math.max(points || 0, least), most);
  return least + Math.floor((wanted - least) / step) * step;
}

function setPoints(field, points) {
  field.value = stepOf(field, Number(points));
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Card, slider and chips follow the field. Without figures, none of an earlier number stays: its number is no step.
function followPoints(field, used = "", saving = "") {
  const card = field.closest(".choice");
  card.querySelector("[data-points-used]").textContent = used;
  card.querySelector(".saving").textContent = saving;
  // What beats the fewest points may not beat more of them.
  card.querySelector("[data-better]")?.toggleAttribute("hidden", !used || field.value !== field.min);
  const stepper = field.closest("[data-stepper]");
  const slider = stepper.querySelector("[data-slider]");
  if (slider) {
    slider.max = field.max;
    slider.value = field.value;
    if (used) slider.setAttribute("aria-valuetext", `${used}, ${saving}`);
    else slider.removeAttribute("aria-valuetext");
  }
  for (const chip of stepper.querySelectorAll("[data-chip]")) {
    const points = chip.dataset.chip === "most" ? field.max : chip.dataset.chip;
    chip.disabled = Number(points) > Number(field.max);
    chip.setAttribute("aria-pressed", points === field.value);
  }
}

// Without a script the field is alone.
function showSteppers() {
  document.querySelectorAll("[data-stepper] [hidden]").forEach((each) => { each.hidden = false; });
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-slider]")) {
    event.stopPropagation();
    setPoints(fieldIn(event.target.closest("[data-stepper]")), event.target.value);
  }
}, true);

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-step], [data-chip]");
  if (!button) {
    return;
  }
  const field = fieldIn(button.closest("[data-stepper]"));
  const { step, chip } = button.dataset;
  const stepped = Number(field.value) + Number(step) * Number(field.step);
  setPoints(field, step ? stepped : chip === "most" ? field.max : chip);
});

document.addEventListener("htmx:afterSwap", showSteppers);
showSteppers();
