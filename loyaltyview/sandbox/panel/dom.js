// Two functions that build elements without markup strings.

/** Return an element with properties and children; names with a dash are set as attributes. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

const shown = new WeakMap();

/** Rebuild the children of `parent` only when `data` changed, so that focus and scrolling stay. */
export function fill(parent, data, build) {
  const text = JSON.stringify(data);
  if (shown.get(parent) === text) return;
  shown.set(parent, text);
  parent.replaceChildren(...build(data));
}

export const byId = (id) => document.getElementById(id);
