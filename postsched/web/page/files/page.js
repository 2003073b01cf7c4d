// What the page does better with a little script; all of it works without.
"use strict";

// A change somewhere: pages that show it load it anew, but not under a person's hands.
document.addEventListener("htmx:beforeRequest", (event) => {
  const busy = document.activeElement;
  if (event.detail.elt.matches("[hx-trigger^='sse:']") && busy && busy.matches("input, textarea, select")
      && event.detail.elt.contains(busy)) {
    event.preventDefault();
  }
});
