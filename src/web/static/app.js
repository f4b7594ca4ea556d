// What the pages gain where scripts run. Everything works without it.
"use strict";

const all = (selector) => document.querySelectorAll(selector);

// Answers are saved as they are chosen.
function autosave(form) {
  const state = form.querySelector("[data-save-state]");
  let busy = false; // one request at a time, so an older answer cannot overtake a newer one
  let again = false;
  let waiting = null; // a button pressed meanwhile: the form goes when the answer is kept, and not beside it

  const say = (text, retry) => {
    state.textContent = text;
    state.classList.toggle("failed", Boolean(retry));
    if (!retry) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "try again";
    button.addEventListener("click", save);
    state.append(" ", button);
  };

  const mark = () => {
    const item = form.querySelector('.strip [aria-current="step"]');
    if (!item) return;
    const answered = form.querySelector('[name="choice"]:checked') !== null;
    item.classList.toggle("answered", answered);
    item.querySelector("[data-answered]").textContent = answered ? ", answered" : "";
  };

  async function save() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    say("Saving");
    let saved = false;
    do {
      again = false;
      try {
        const response = await fetch(form.dataset.save, {
          method: "POST",
          credentials: "same-origin",
          headers: { "X-Requested-With": "passmuster" },
          body: new URLSearchParams(new FormData(form)),
        });
        // A redirect leads to a page about a lost session: that is not "saved".
        saved = response.ok && !response.redirected;
      } catch {
        saved = false;
      }
    } while (again);
    busy = false;
    if (waiting) {
      form.requestSubmit(waiting);
      return;
    }
    if (saved) mark();
    say(saved ? "Saved" : "Not saved,", !saved);
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "choice") save();
  });
  form.addEventListener("submit", (event) => {
    if (!busy) return;
    event.preventDefault();
    waiting = event.submitter;
  });
  // Chosen before this script was there.
  const inputs = [...form.querySelectorAll('[name="choice"]')];
  if (inputs.some((input) => input.checked !== input.defaultChecked)) save();
}

// The keys 1 to 6 choose an option while the focus is on the question (WCAG 2.2, 2.1.4).
function numberKeys(form) {
  const box = form.querySelector(".choices");
  const inputs = box.querySelectorAll('[name="choice"]');
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[1-6]$/.test(event.key)) return;
    const input = inputs[Number(event.key) - 1];
    if (!input) return;
    event.preventDefault();
    input.focus();
    input.click();
  });
  // Only where the frame has the focus already: never take it from the LMS around us.
  if (document.hasFocus()) box.focus({ preventScroll: true });
}

for (const form of all("form[data-save]")) {
  autosave(form);
  numberKeys(form);
}

// An LMS may forbid its frames the clipboard: then the old way, and at worst the code stands selected.
async function copy(node) {
  try {
    await navigator.clipboard.writeText(node.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    }
  }
}

for (const button of all("[data-copy]")) {
  const node = document.getElementById(button.dataset.copy);
  const state = button.parentElement.querySelector("[data-copy-state]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await copy(node);
    state.textContent = copied ? "Copied" : "Selected: press Ctrl+C";
  });
}

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Code wider than the page can be scrolled by keyboard.
for (const block of all("pre")) {
  if (block.scrollWidth > block.clientWidth && !block.hasAttribute("tabindex")) {
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", "Code");
  }
}
