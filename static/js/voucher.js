// A code that is typed comes first: until it is looked up or cleared, nothing else is sent.
"use strict";

const typed = () => document.getElementById("voucher-code");

// The field and its buttons were those of the form of all that is chosen, for pages without a script.
function prepareVoucher() {
  for (const each of document.querySelectorAll("#voucher [form]")) {
    each.removeAttribute("form");
    each.removeAttribute("formaction");
  }
  if (typed()) {
    typed().required = true;
  }
}

// Style hides the other buttons; where the browser cannot, and for the Enter key, this holds them.
document.addEventListener("submit", (event) => {
  const spends = event.target.matches(".several") || event.target.closest(".choice");
  if (spends && typed() && typed().value.trim()) {
    event.preventDefault();
    event.stopImmediatePropagation();
    typed().form.requestSubmit();
  }
}, true);
document.addEventListener("htmx:afterSwap", prepareVoucher);
prepareVoucher();
