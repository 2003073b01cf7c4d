// What the page does better with a little script; all of it works without.
"use strict";

document.documentElement.classList.add("scripted");

// A change somewhere: pages that show it load it anew, but not under a person's hands.
let waiting = false;
const isDirty = (field) => field.type === "hidden" ? false
  : field.matches("select") ? [...field.options].some((one) => one.selected !== one.defaultSelected)
  : field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
  : field.value !== field.defaultValue;
const inUse = (region) => {
  const chosen = document.getSelection();
  return dragged !== null || region.contains(document.activeElement) || region.querySelector("details[open]") !== null
    || [...region.querySelectorAll("input, select, textarea")].some(isDirty)
    || (chosen !== null && !chosen.isCollapsed && chosen.containsNode(region, true));
};
const tell = () => {
  if (document.querySelector(".changed")) return;
  const note = document.createElement("p"), link = document.createElement("a");
  note.className = "changed";
  note.setAttribute("role", "status");
  link.href = location.pathname + location.search;
  link.textContent = "Something has changed: load it anew";
  document.body.append(note);
  note.append(link);
};
document.addEventListener("htmx:beforeRequest", (event) => {
  const region = event.detail.elt;
  if (!region.matches(".live")) return;
  waiting = inUse(region);
  if (!waiting) return;
  event.preventDefault();
  tell();
});
const settle = () => setTimeout(() => {
  const region = document.querySelector(".live");
  if (!waiting || !region || inUse(region)) return;
  htmx.trigger(region, "sse:change");
});
for (const kind of ["focusout", "toggle", "dragend", "mouseup"]) document.addEventListener(kind, settle, true);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.matches?.(".live")) document.querySelector(".changed")?.remove();
});

// What was sent by script and did not work is said, and nothing that was written is lost.
const complain = (words, address) => {
  const form = document.querySelector("#composer");
  if (!form) return;
  const note = form.querySelector(".fault.sent") || document.createElement("p");
  note.className = "fault sent";
  note.setAttribute("role", "alert");
  note.textContent = words;
  if (address) {
    const link = document.createElement("a");
    link.href = address;
    link.target = "_blank";
    link.textContent = "Sign in";
    note.append(" ", link);
  }
  form.querySelector("h1").after(note);
};
document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  complain(answer.querySelector("[role=alert]")?.textContent || "That did not work.");
});
document.addEventListener("htmx:sendError", () => complain("postsched does not answer. What you wrote is still here."));
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (new URL(xhr.responseURL).pathname !== "/login") return;
  event.detail.shouldSwap = false;
  if (event.target.matches(".live")) location.reload();
  else complain("You are signed out. What you wrote is still here.", "/login");
});
document.addEventListener("htmx:afterSwap", () => document.querySelector(".fault.sent")?.remove());

// What was done is announced once the page is there, and the page stays where it was.
const said = document.querySelector(".said");
if (said) {
  const aloud = document.createElement("p");
  said.removeAttribute("role");
  aloud.className = "hidden";
  aloud.setAttribute("role", "status");
  document.body.append(aloud);
  setTimeout(() => { aloud.textContent = said.textContent; }, 100);
}
const kept = () => location.pathname + location.search;
try {
  const [where, top] = JSON.parse(sessionStorage.getItem("scroll") || "[]");
  if (where === kept()) scrollTo({ top, behavior: "instant" });
  sessionStorage.removeItem("scroll");
} catch { /* a browser may keep nothing */ }
const keep = (form) => {
  try {
    if (form.elements.back?.value === kept()) sessionStorage.setItem("scroll", JSON.stringify([kept(), scrollY]));
  } catch { /* the same */ }
};
document.addEventListener("submit", (event) => keep(event.target));

// Escape closes what was opened last, and goes back to what opened it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest("details[open]") || document.querySelector(".calendar details[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".calendar details[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// The calendar: an entry is dragged to another day; the queue: a post to the place of another.
// The forms in them do the same.
let dragged = null;
const target = (event) => {
  if (!dragged) return null;
  if (dragged.matches(".entry")) return event.target.closest("[data-day]");
  const other = event.target.closest("li[data-post]");
  return other && other.parentElement === dragged.parentElement ? other : null;
};
const mark = (place) => {
  for (const other of document.querySelectorAll(".over[data-day], .over[data-post]")) other.classList.remove("over");
  if (place && place !== dragged) place.classList.add("over");
};
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".entry[draggable], .queue li[draggable]") || null;
  if (dragged) {
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.post);
  }
});
document.addEventListener("dragover", (event) => {
  const place = target(event);
  mark(place);
  if (place) event.preventDefault();
});
document.addEventListener("dragend", () => {
  dragged = null;
  mark(null);
});
document.addEventListener("drop", (event) => {
  const place = target(event), form = document.getElementById(dragged?.matches(".entry") ? "drop" : "swap");
  if (!place || !form || place.contains(dragged)) return;
  event.preventDefault();
  form.elements.post.value = dragged.dataset.post;
  if (form.id === "drop") {
    form.elements.occurrence.value = dragged.dataset.occurrence;
    form.elements.day.value = place.dataset.day;
  } else {
    form.elements.other.value = place.dataset.post;
    form.elements.account.value = dragged.parentElement.dataset.account;
  }
  keep(form);
  form.submit();
});

// The composer: a text of its own is offered for the accounts that were chosen.
const offer = () => {
  const chosen = [...document.querySelectorAll("#composer [name=to]:checked")].flatMap((one) => one.dataset.accounts.split(" "));
  for (const label of document.querySelectorAll("#composer [data-variant]")) {
    label.hidden = !chosen.includes(label.dataset.variant) && !label.querySelector("textarea").value;
  }
  const none = document.getElementById("no-variants");
  if (none) none.hidden = document.querySelector("#composer [data-variant]:not([hidden])") !== null;
};
offer();
document.addEventListener("change", (event) => { if (event.target.name === "to") offer(); });
document.addEventListener("htmx:afterSettle", offer);
