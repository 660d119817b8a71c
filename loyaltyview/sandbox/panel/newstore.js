// NewStore's side: listeners and events, orders, the REST cart, coupon codes.

import { byId, el, fill } from "./dom.js";

const TONES = {
  delivered: "good", pending: "wait", rejected: "bad", failed: "bad", unsent: "", lost: "bad", running: "good", stopped: "bad",
  open: "wait", closed: "good", cancelled: "bad", used: "good", expired: "bad", off: "bad",
};
const events = new Map();

export function showNewStore(state, step) {
  fill(byId("integrations"), state.integrations, (all) => all.map((each) => listener(each, step)));
  byId("no-events").hidden = state.events.length > 0;
  showEvents(state.events, step);
  byId("no-orders").hidden = state.orders.length > 0;
  fill(byId("orders"), state.orders, (all) => all.map((order) => orderRow(order, step)));
  fill(byId("rest-cart"), state.rest_cart, (cart) => [cart ? JSON.stringify(cart, null, 2) : "No open cart."]);
  byId("no-coupons").hidden = state.coupons.length > 0;
  fill(byId("coupons"), state.coupons, (all) => all.map(couponRow));
}

function badge(text, state) {
  return el("span", { className: "badge", "data-tone": TONES[state] ?? "" }, text);
}

function listener(each, step) {
  const running = each.status === "running";
  const button = el("button", { type: "button" }, running ? "Stop" : "Start");
  button.addEventListener("click", () => step("stream", { id: each.id, running: !running }, button));
  const about = each.replays
    ? `Sends again what was published from ${each.replays.map((text) => new Date(text).toLocaleString()).join(" to ")}`
    : each.url;
  const name = el("span", { className: "grow" }, each.id, el("span", { className: "quiet" }, about));
  // A replay stops by itself, which is no fault.
  const tone = each.replays && !running ? "" : each.status;
  return el("li", {}, name, badge(each.status, tone), button);
}

// The elements of rows are kept, so that an open payload stays open when its status changes.
function showEvents(all, step) {
  const list = byId("events");
  const wanted = new Set(all.map((event) => event.number));
  for (const [number, row] of events) {
    if (!wanted.has(number)) {
      row.remove();
      events.delete(number);
    }
  }
  for (const event of [...all].reverse()) {
    if (!events.has(event.number)) {
      const row = eventRow(event, step);
      events.set(event.number, row);
      list.prepend(row);
    }
    const row = events.get(event.number);
    row.dataset.status = event.status;
    fill(row.querySelector("[data-outcome]"), event, () => [badge(outcome(event), event.status)]);
  }
}

function outcome(event) {
  const tries = event.attempts.length;
  const last = tries ? `, ${event.attempts[tries - 1]}` : "";
  const kind = event.is_replay ? ", sent again by a replay" : "";
  return `${event.status}${last}${tries > 1 ? `, ${tries} tries` : ""}${kind}`;
}

function eventRow(event, step) {
  const again = el("button", { type: "button", disabled: event.status === "unsent" }, "Send again");
  again.addEventListener("click", () => step("send-again", { number: event.number }, again));
  const time = new Date(event.created_at).toLocaleTimeString();
  const summary = el("summary", {},
    el("span", { className: "grow" }, event.name, el("span", { className: "quiet" }, `${time} · ${event.subject}`)),
    el("span", { "data-outcome": "" }),
  );
  const payload = el("pre", { tabIndex: 0 }, JSON.stringify(JSON.parse(event.body), null, 2));
  return el("details", { "data-event": event.name, "data-replay": event.is_replay }, summary, el("div", {}, again, payload));
}

function orderRow(order, step) {
  const button = el("button", { type: "button", "aria-label": `Show ${order.number} on the device` }, "Show");
  button.addEventListener("click", () => step("receipt", { order: order.id }, button));
  const facts = `${order.customer} · ${order.items.length} items · ${order.total} ${order.currency}`;
  const row = el("li", { "data-order": order.number, "data-state": order.label },
    el("span", { className: "grow" }, order.number, el("span", { className: "quiet" }, facts)),
    badge(order.label, order.state),
    button,
  );
  return row;
}

function couponRow(coupon) {
  const until = new Date(coupon.expires_at).toLocaleTimeString();
  return el("li", { "data-coupon": coupon.code, "data-state": coupon.state },
    el("span", { className: "grow" }, coupon.code, el("span", { className: "quiet" }, `${coupon.name} · until ${until}`)),
    badge(coupon.state, coupon.state),
  );
}

export function wireTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const select = (tab) => {
    for (const each of tabs) {
      const active = each === tab;
      each.setAttribute("aria-selected", active);
      each.tabIndex = active ? 0 : -1;
      byId(each.getAttribute("aria-controls")).hidden = !active;
    }
    tab.focus();
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to !== undefined) select(tabs.at(to % tabs.length));
    });
  });
}
