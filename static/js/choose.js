// Several cards at once: the sum on the button, and what the choice leaves out of reach. Counted in cents, or yen.
// The server judges anyway, in the same order: points as money last, they fill what the others leave.
"use strict";

const cents = (amount, group) => Math.round(Number(amount) * Number(group.dataset.units));
const number = (value, options) => new Intl.NumberFormat(document.documentElement.lang || undefined, options).format(value);
const money = (units, { units: inOne, currency }) => number(units / Number(inOne), { style: "currency", currency });
const boxOf = (card) => card.querySelector("[name=chosen]");
const pointsOf = (card) => card.querySelector("[data-stepper] input");

// Return the most points that the stepper of `card` may take, 0 when not even its least.
function mostPoints(card, left, points) {
  const input = pointsOf(card);
  const span = input.parentElement.dataset;
  const fits = Math.min(Number(span.maximum), points, Math.ceil(left / (Number(span.value) * Number(span.units)) - 1e-9));
  const steps = Math.floor((fits - Number(input.min)) / Number(input.step));
  return steps < 0 ? 0 : Number(input.min) + steps * Number(input.step);
}

// Return what `card` takes of `left` money and `points`, or the obstacle: [name of its words, value].
function take(card, group, left, points, items, isAlone) {
  const minimum = cents(card.dataset.minimum || 0, group);
  if (left <= 0) {
    return { obstacle: ["paid", 0] };
  }
  if (left < minimum) {
    return { obstacle: ["below", minimum] };
  }
  if (pointsOf(card)) {
    const most = mostPoints(card, left, points);
    const least = Number(pointsOf(card).min);
    const cost = Math.min(most, Number(pointsOf(card).value));
    const span = pointsOf(card).parentElement.dataset;
    const worth = Math.floor(cost * Number(span.value) * Number(span.units) + 1e-6);
    return most ? { saving: Math.min(worth, left), cost } : { obstacle: points < least ? ["short", least - points] : ["cut", left] };
  }
  const cost = Number(card.dataset.cost);
  if (cost > points) {
    return { obstacle: ["short", cost - points] };
  }
  // One unit of its products, the cheapest that no other card takes.
  const skus = JSON.parse(card.dataset.takes || "null");
  const unit = skus && items.findIndex(([product]) => skus.includes(product));
  if (unit === -1) {
    return { obstacle: ["gone", 0] };
  }
  const price = skus && items.splice(unit, 1)[0][1];
  const amount = "whole" in card.dataset ? price : card.dataset.worth;
  const worth = card.dataset.percent ? Math.round((left * Number(card.dataset.percent)) / 100) : cents(amount, group);
  if (worth > left && !isAlone) {
    return { obstacle: ["cut", left] };
  }
  return { saving: Math.min(worth, left), cost };
}

function sum(cards, group) {
  let [left, points, saving] = [cents(group.dataset.left, group), Number(group.dataset.spendable), 0];
  const items = JSON.parse(group.dataset.items);
  const inOrder = [...cards.filter((card) => !pointsOf(card)), ...cards.filter(pointsOf)];
  for (const card of inOrder) {
    const taken = take(card, group, left, points, items, card === inOrder[0]);
    if (taken.obstacle) {
      return { obstacle: taken.obstacle };
    }
    if (pointsOf(card)) {
      pointsOf(card).max = mostPoints(card, left, points);
    }
    [left, points, saving] = [left - taken.saving, points - taken.cost, saving + taken.saving];
  }
  return { saving, cost: Number(group.dataset.spendable) - points };
}

function words(group, [name, value]) {
  return group.dataset[name].replace("{points}", number(value)).replace("{money}", money(value, group.dataset));
}

function label(group, chosen, total) {
  const button = group.querySelector("#several .button");
  const fine = group.querySelector("#several .fine");
  button.querySelector(".resting").textContent = chosen.length
    ? button.dataset.many.replace("{n}", chosen.length).replace("{saving}", money(total.saving || 0, group.dataset))
    : button.dataset.none;
  const finals = chosen.filter((card) => "final" in card.dataset).length;
  const undo = finals === 0 ? fine.dataset.can : finals < chosen.length ? fine.dataset.some : fine.dataset.final;
  fine.textContent = chosen.length ? undo.replace("{points}", number(total.cost || 0)) : fine.dataset.none;
}

function weigh(group) {
  const cards = [...group.querySelectorAll(".choice")];
  const chosen = cards.filter((card) => boxOf(card).checked);
  // A single card is always possible: the page shows no other.
  for (const card of cards.filter((each) => !chosen.includes(each))) {
    const { obstacle } = chosen.length ? sum([...chosen, card], group) : {};
    boxOf(card).disabled = Boolean(obstacle);
    card.querySelector("[data-obstacle]").textContent = obstacle ? words(group, obstacle) : "";
  }
  const total = sum(chosen, group);
  for (const card of chosen) {
    card.querySelector("[data-obstacle]").textContent = total.obstacle ? words(group, total.obstacle) : "";
    const input = pointsOf(card);
    if (input && Number(input.value) > Number(input.max)) {
      input.value = input.max;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    if (input) {
      card.querySelector("[data-mirror]").value = input.value;
    }
  }
  group.toggleAttribute("data-several", chosen.length > 1);
  label(group, chosen, total);
}

function weighAll() {
  document.querySelectorAll("[data-choose]").forEach(weigh);
}

document.addEventListener("change", (event) => {
  const group = event.target.name === "chosen" && event.target.closest("[data-choose]");
  if (group) {
    weigh(group);
  }
});
document.addEventListener("input", (event) => {
  if (event.target.closest("[data-stepper]")) {
    weighAll();
  }
});
// Nothing is chosen: the button leads to what can be.
document.addEventListener("submit", (event) => {
  const group = event.target.id === "several" && event.target.closest("[data-choose]");
  if (group && !group.querySelector("[name=chosen]:checked")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const fine = group.querySelector("#several .fine");
    fine.textContent = fine.dataset.first;
    const box = group.querySelector("[name=chosen]:enabled");
    box.closest(".card").scrollIntoView({ block: "nearest" });
    box.focus({ focusVisible: true, preventScroll: true });
  }
}, true);
document.addEventListener("htmx:afterSwap", weighAll);
window.addEventListener("pageshow", weighAll);
weighAll();
