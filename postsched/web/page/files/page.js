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

// The calendar: an entry is dragged to another day; the form in it does the same.
let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest(".entry[draggable]");
  if (dragged) {
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.post);
  }
});
document.addEventListener("dragover", (event) => {
  const day = dragged && event.target.closest("[data-day]");
  for (const other of document.querySelectorAll(".over")) other.classList.toggle("over", other === day);
  if (day) {
    day.classList.add("over");
    event.preventDefault();
  }
});
document.addEventListener("dragend", () => {
  dragged = null;
  for (const day of document.querySelectorAll(".over")) day.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  const day = dragged && event.target.closest("[data-day]");
  const form = document.getElementById("drop");
  if (!day || !form || day.contains(dragged)) return;
  event.preventDefault();
  form.elements.post.value = dragged.dataset.post;
  form.elements.occurrence.value = dragged.dataset.occurrence;
  form.elements.day.value = day.dataset.day;
  form.submit();
});
