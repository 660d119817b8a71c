// Connects the parts: the state goes to the screens, the WebView and NewStore's side; buttons send steps.

import { act, watch } from "./api.js";
import { byId } from "./dom.js";
import { showScreens, chosenItems } from "./screens.js";
import { showNewStore, wireTabs } from "./newstore.js";
import { showSwitches, wireSwitches } from "./switches.js";
import { showWebView, onNavigation } from "./webview.js";

const TOAST_MS = 5000;
const BEZEL = 10;
const SIZES = { phone: [390, 844], small: [320, 568], tablet: [1024, 768] };
let toastTimer = 0;

function show(state) {
  showScreens(state, step);
  showWebView(state.webview);
  showNewStore(state, step);
  showSwitches(state.switches);
}

function toast(text) {
  clearTimeout(toastTimer);
  byId("toast").textContent = text;
  toastTimer = setTimeout(() => byId("toast").replaceChildren(), TOAST_MS);
}

// One after the other, so that a tap does not overtake the choice before it.
let queue = Promise.resolve();
function step(action, body, button) {
  queue = queue.then(() => take(action, body, button));
  return queue;
}

async function take(action, body, button) {
  if (button) button.disabled = true;
  try {
    const { message, state } = await act(action, body);
    if (button) button.disabled = false;
    show(state);
    if (message) toast(message);
  } catch (error) {
    if (button) button.disabled = false;
    toast(`The sandbox does not answer. ${error.message}`);
  }
}

function wire(id, action, body = () => ({})) {
  byId(id).addEventListener("click", (event) => step(action, body(), event.currentTarget));
}

function fit() {
  const [width, height] = SIZES[document.body.dataset.device].map((points) => points + 2 * BEZEL);
  const stage = byId("stage");
  const scale = Math.min(1, (stage.clientWidth - 4) / width, (stage.clientHeight - 4) / height);
  const device = byId("device");
  device.style.setProperty("--scale", scale);
  device.style.setProperty("inset-inline-start", `${Math.max(0, (stage.clientWidth - width * scale) / 2)}px`);
}

wire("log-in", "log-in", () => ({ associate: byId("associate").value }));
wire("log-out", "log-out");
wire("redeem", "launch");
wire("open-profile", "profile");
wire("close-webview", "close");
wire("pay", "pay", () => ({ hand_over: byId("hand-over-now").checked }));
wire("hand-over", "hand-over");
wire("return-all", "return");
wire("return-chosen", "return", () => ({ items: chosenItems() }));
wire("cancel-order", "cancel");
wire("new-cart", "cart");
for (const name of ["customer", "cart"]) {
  byId(name).addEventListener("change", (event) => step("cart", { [name]: event.currentTarget.value }));
}
byId("device-size").addEventListener("change", (event) => {
  document.body.dataset.device = event.currentTarget.value;
  fit();
});
onNavigation((deeplink) => step("apply", { deeplink }));
wireTabs();
wireSwitches(step);
new ResizeObserver(fit).observe(byId("stage"));
watch(show, (lost) => { byId("lost").hidden = !lost; });
