// Admin: sends the program's form to the preview, again after each change of a field of the brand.
const button = document.querySelector("[data-preview]");
const FIELDS = ["name", "color", "header", "radius", "logo", "logo_dark", "typeface", "tier_colors", "welcome"];
const PAUSE_MS = 400;
let timer;

function show() {
  const form = button.closest("form");
  const [action, target] = [form.getAttribute("action"), form.target];
  form.action = button.dataset.action;
  form.target = button.dataset.preview;
  form.submit();
  form.target = target;
  if (action === null) form.removeAttribute("action");
  else form.action = action;
}

if (button) {
  button.addEventListener("click", show);
  button.closest("form").addEventListener("input", (event) => {
    if (!FIELDS.includes(event.target.name.replace("-clear", ""))) return;
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  });
  show();
}
