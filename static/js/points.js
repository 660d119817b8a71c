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

// The slider and the chips follow the field; `words` say what its number costs and saves, "" where it is no step.
function followPoints(field, words) {
  const stepper = field.closest("[data-stepper]");
  const slider = stepper.querySelector("[data-slider]");
  if (slider) {
    slider.max = field.max;
    slider.value = field.value;
    if (words) {
      slider.setAttribute("aria-valuetext", words);
    } else {
      slider.removeAttribute("aria-valuetext");
    }
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
