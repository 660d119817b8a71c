// Back to the cart by itself, once: only when the page was reached by the tap's own redirect (?go=1).
"use strict";

window.addEventListener("load", () => {
  const link = document.getElementById("handoff");
  if (link && "go" in document.body.dataset) {
    // First remove ?go=1: coming back to this page must not leave it again.
    window.history.replaceState(null, "", window.location.pathname);
    window.location.href = link.href;
  }
});
