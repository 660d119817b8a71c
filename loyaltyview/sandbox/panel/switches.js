// The switches: each control has the name of its switch, each button its minutes.

import { byId } from "./dom.js";

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
  const ahead = switches.minutes_ahead;
  byId("ahead").textContent = ahead ? `It is ${ahead} minutes ahead.` : "";
}

export function wireSwitches(step) {
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
