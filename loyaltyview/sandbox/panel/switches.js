// The switches: each control has the name of its switch, each button its minutes.

import { byId, el } from "./dom.js";

const controls = [...document.querySelectorAll("[data-switch]")];

export function showSwitches(switches) {
  for (const control of controls) {
    const value = switches[control.dataset.switch];
    // A list must not change while it is open.
    if (document.activeElement === control) continue;
    if (control.type === "checkbox") control.checked = value;
    else control.value = String(value);
  }
  byId("vendor-fault").hidden = !switches.vendor;
  byId("vendor-name").textContent = switches.vendor ? `The loyalty vendor (${switches.vendor})` : "";
  showVendorSide(switches);
  const ahead = switches.minutes_ahead;
  byId("ahead").textContent = ahead ? `It is ${ahead} minutes ahead.` : "";
}

let send = () => {};

// The vendor's own switches and steps, built once: which ones there are does not change.
function showVendorSide({ vendor_choices: choices, vendor_steps: steps }) {
  const side = byId("vendor-side");
  if (side.hidden && (choices.length || steps.length)) {
    side.hidden = false;
    side.append(...choices.map(choiceOf), el("div", { className: "steps" }, ...steps.map(buttonOf)));
  }
  for (const { name, value } of choices) {
    const list = side.querySelector(`select[name="${name}"]`);
    if (document.activeElement !== list) list.value = value;
  }
}

function choiceOf({ name, choices }) {
  const list = el("select", { name }, ...choices.map((value) => el("option", { value }, words(value))));
  list.addEventListener("change", () => send("switch", { name, value: list.value }));
  return el("label", {}, words(name), list);
}

function buttonOf(name) {
  const button = el("button", { type: "button" }, words(name));
  button.addEventListener("click", () => send("vendor-step", { name }, button));
  return button;
}

function words(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

export function wireSwitches(step) {
  send = step;
  for (const control of controls) {
    control.addEventListener("change", () => step("switch", { name: control.dataset.switch, value: valueOf(control) }));
  }
  for (const button of document.querySelectorAll("[data-minutes]")) {
    button.addEventListener("click", () => step("clock", { minutes: Number(button.dataset.minutes) }, button));
  }
}

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  return control.dataset.switch.endsWith("_s") ? Number(control.value) : control.value;
}
