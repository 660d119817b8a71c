// The POS: which screen is shown, and its content.

import { byId, el, fill } from "./dom.js";

/** Ids of the items ticked on the receipt. */
export function chosenItems() {
  return [...document.querySelectorAll("#receipt-items input:checked")].map((box) => box.value);
}

export function showScreens(state, step) {
  const device = byId("device");
  if (device.dataset.app !== state.screen) byId("toast").replaceChildren();
  device.dataset.app = state.screen;
  for (const screen of device.querySelectorAll("[data-screen]")) {
    screen.hidden = screen.dataset.screen !== state.screen;
  }
  for (const place of device.querySelectorAll("[data-store]")) place.textContent = `Store ${state.store}`;
  const identity = state.has_identity ? "" : " (no loyalty identity)";
  for (const place of device.querySelectorAll("[data-associate]")) {
    place.textContent = state.associate + identity;
  }
  byId("open-profile").disabled = state.customer === "none";
  choose("associate", state.choices.associates);
  byId("log-in").disabled = false; // nobody can be chosen before
  choose("customer", state.choices.customers, state.customer);
  choose("cart", state.choices.carts, state.ready_cart);
  showCart(state.cart, step);
  showReceipt(state.receipt);
}

function choose(id, choices, value) {
  const select = byId(id);
  fill(select, choices, () => choices.map(([key, label]) => el("option", { value: key }, label)));
  // A list must not change while it is open.
  if (value !== undefined && select.value !== value && document.activeElement !== select) select.value = value;
}

function showCart(cart, step) {
  fill(byId("cart-items"), cart?.items ?? [], (items) => items.map((item) => line(item.name, item.price)));
  fill(byId("cart-codes"), cart?.codes ?? [], (codes) =>
    codes.map((code) => {
      const remove = el("button", { type: "button", className: "link", "aria-label": `Remove ${code.code}` }, "✕");
      remove.addEventListener("click", () => step("remove", { code: code.code }, remove));
      const row = codeLine(code);
      row.append(remove);
      return row;
    }),
  );
  showSums("cart-sums", cart);
}

function showReceipt(receipt) {
  if (receipt) {
    byId("receipt-title").textContent = `Receipt ${receipt.number}`;
    byId("receipt-label").textContent = receipt.label;
    byId("receipt-customer").textContent = receipt.customer;
    const left = receipt.items.filter((item) => item.status === "completed");
    byId("hand-over").hidden = receipt.state !== "open";
    byId("return-all").disabled = left.length === 0;
    byId("cancel-order").disabled = receipt.state === "cancelled" || receipt.label.includes("returned");
  }
  fill(byId("receipt-items"), receipt?.items ?? [], (items) => items.map(soldLine));
  fill(byId("receipt-codes"), receipt?.codes ?? [], (codes) => codes.map(codeLine));
  showSums("receipt-sums", receipt);
  byId("return-chosen").disabled = chosenItems().length === 0;
}

function soldLine(item) {
  if (item.status !== "completed") {
    const row = line(item.name, item.price);
    row.insertBefore(el("span", { className: "state" }, item.status), row.lastChild);
    return row;
  }
  const box = el("input", { type: "checkbox", value: item.id });
  box.addEventListener("change", () => { byId("return-chosen").disabled = chosenItems().length === 0; });
  return el("li", {}, el("label", { className: "check grow" }, box, item.name), el("span", {}, item.price));
}

function line(name, price) {
  return el("li", {}, el("span", { className: "grow" }, name), el("span", {}, price));
}

function codeLine(code) {
  const name = code.label ? `${code.code} (${code.label})` : code.code;
  const row = line(name, `−${code.amount}`);
  row.dataset.appliedCode = code.code;
  return row;
}

function showSums(id, sums) {
  fill(byId(id), sums ?? null, () => {
    if (!sums) return [];
    const total = sum("Total", `${sums.total} ${sums.currency}`, "strong");
    total.lastChild.dataset.total = sums.total;
    return [
      sum("Subtotal", sums.subtotal), total, sum(sums.tax_label, sums.tax), sum("To pay", `${sums.to_pay} ${sums.currency}`),
    ];
  });
}

function sum(label, amount, className = "") {
  return el("div", { className }, el("dt", {}, label), el("dd", {}, amount));
}
