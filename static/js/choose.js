// Several cards at once: the server says what the choice saves and what it leaves out of reach. It counts as a tap
// is counted (views/preview.py). While it is asked, no old figure is shown, and the last answer counts.
"use strict";

const TYPING_MS = 150;
let asked = new AbortController();
let typing = 0;

const boxOf = (card) => card.querySelector("[name=chosen]");
const pointsOf = (card) => card.querySelector("[data-stepper] input");
const shownPoints = (input) => input.dataset.shown ?? input.defaultValue;
const unitOf = (card) => card.querySelector("[data-unit]");
const steppersIn = (group) => [...group.querySelectorAll(".choice")].filter(pointsOf);
const labelOf = (form) => form.querySelector(".bar .resting");
const formOf = (group) => group.querySelector(".several");
const fineOf = (group) => formOf(group).querySelector(".fine");

// The words without a figure are those of the page as it came.
const plain = new WeakMap();

function say(element, text) {
  if (!plain.has(element)) {
    plain.set(element, element.textContent);
  }
  element.textContent = text ?? plain.get(element);
}

function showPoints(card, figures) {
  const input = pointsOf(card);
  input.max = figures.most;
  if (!("points" in figures)) {
    return followPoints(input); // not one of the steps: the field says so
  }
  if (Number(input.value) > figures.points) {
    input.value = figures.points;
  }
  input.dataset.shown = input.value;
  card.querySelector("[data-mirror]").value = input.value;
  followPoints(input, figures.used, figures.saving);
  say(labelOf(card), figures.button);
}

function show(group, answer) {
  group.removeAttribute("data-pending");
  say(labelOf(formOf(group)), answer.button);
  fineOf(group).textContent = answer.fine;
  for (const card of group.querySelectorAll(".choice")) {
    const figures = answer.cards[boxOf(card).value] ?? {};
    boxOf(card).disabled = !boxOf(card).checked && Boolean(figures.obstacle);
    card.querySelector("[data-obstacle]").textContent = figures.obstacle ?? "";
    if (pointsOf(card) && "most" in figures) {
      showPoints(card, figures);
    }
  }
}

// Without an answer nothing is out of reach: the server judges the tap anyway.
function forget(group) {
  show(group, { fine: "", cards: {} });
  for (const points of steppersIn(group).map(pointsOf)) {
    if (points.value !== shownPoints(points)) followPoints(points);
  }
}

async function ask(group, signal) {
  const form = new FormData(formOf(group));
  form.append("offers", group.dataset.offers);
  try {
    const answer = await fetch(group.dataset.preview, { method: "POST", body: new URLSearchParams(form), signal });
    show(group, await answer.json());
  } catch {
    // No network, no JSON: another page in its place, or none for a page that is out of date.
    if (!signal.aborted) {
      forget(group);
    }
  }
}

// Which of several products is free: its option says what it saves.
function showUnit(card) {
  const { value, dataset } = unitOf(card).selectedOptions[0];
  card.querySelector("[data-unit-mirror]").value = value;
  card.querySelector(".saving").textContent = dataset.saving;
  labelOf(card).textContent = dataset.action;
  const worth = card.querySelector("[data-value] bdi");
  if (worth) {
    worth.textContent = dataset.value;
  }
}

function choose(group, delay = 0) {
  asked.abort();
  window.clearTimeout(typing);
  const cards = [...group.querySelectorAll(".choice")];
  const chosen = cards.filter((card) => boxOf(card).checked);
  group.toggleAttribute("data-several", chosen.length > 1);
  cards.filter(unitOf).forEach(showUnit);
  steppersIn(group).forEach((card) => { card.querySelector("[data-mirror]").value = pointsOf(card).value; });
  if (!chosen.length) {
    forget(group);
    say(labelOf(formOf(group)), formOf(group).querySelector(".button").dataset.none);
    fineOf(group).textContent = fineOf(group).dataset.none;
    return;
  }
  asked = new AbortController();
  const { signal } = asked;
  group.setAttribute("data-pending", "");
  [formOf(group), ...chosen.filter(pointsOf)].forEach((form) => say(labelOf(form)));
  typing = window.setTimeout(() => ask(group, signal), delay);
}

function chooseAll() {
  document.querySelectorAll("[data-choose]").forEach((group) => choose(group));
}

document.addEventListener("change", ({ target }) => {
  const group = target.name === "chosen" && target.closest("[data-choose]");
  if (group) {
    choose(group);
  }
});
document.addEventListener("input", ({ target }) => {
  if (target.closest("[data-stepper]")) {
    if (Number(target.value) > Number(target.max)) {
      target.value = target.max;
    }
    choose(target.closest("[data-choose]"), TYPING_MS);
  }
});
// Points that are no step are said by their field.
const isNoStep = (card) => pointsOf(card) && !pointsOf(card).reportValidity();

// Nothing is chosen: the button leads to what can be.
function holdChoice(group) {
  if (group.querySelector("[name=chosen]:checked")) {
    return steppersIn(group).some((card) => boxOf(card).checked && isNoStep(card));
  }
  const box = group.querySelector("[name=chosen]:enabled");
  fineOf(group).textContent = fineOf(group).dataset.first;
  box.closest(".card").scrollIntoView({ block: "nearest" });
  box.focus({ focusVisible: true, preventScroll: true });
  return true;
}

document.addEventListener("submit", (event) => {
  const card = event.target.closest(".choice");
  if (card ? isNoStep(card) : event.target.matches(".several") && holdChoice(event.target.parentElement)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
document.addEventListener("htmx:afterSwap", chooseAll);
window.addEventListener("pageshow", chooseAll);
chooseAll();
