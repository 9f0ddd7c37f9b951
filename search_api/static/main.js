/* Given a page that works without this, what makes it quick: answers while typing, suggestions, keys, copying. */

import { Answers } from "./answers.js";
import { watchCitations } from "./cite.js";
import { watchFinding } from "./find.js";
import { offerSwitch, watchShortcuts } from "./shortcuts.js";
import { Suggestions } from "./suggestions.js";

const form = document.getElementById("page.ask");
if (form) enhance(form);

const finding = document.getElementById("page.find-form");
if (finding) watchFinding(finding);

watchCitations();

function enhance(form) {
  const input = form.elements.q;
  const suggestions = new Suggestions(form);
  const answers = document.getElementById("page.view") ? new Answers(form) : null;

  const clear = document.createElement("button");
  clear.type = "button";
  clear.className = "clear";
  clear.setAttribute("aria-label", "Clear the question");
  clear.textContent = "×";
  input.after(clear);

  const look = () => (clear.hidden = !input.value);
  const changed = () => {
    look();
    suggestions.typed();
    answers?.typed();
  };
  const empty = () => {
    input.value = "";
    changed();
    input.focus();
  };
  look();
  clear.addEventListener("click", empty);
  // While letters are being composed (Japanese, Chinese, accents) there is no question yet.
  input.addEventListener("input", (event) => event.isComposing || changed());
  input.addEventListener("compositionend", changed);
  input.addEventListener("restored", () => {
    look();
    suggestions.close();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value && !event.isComposing) {
      event.preventDefault();
      empty();
    }
  });
  form.addEventListener("submit", (event) => {
    suggestions.close();
    if (!answers) return;
    event.preventDefault();
    answers.submitted();
    // The keyboard on a screen would hide what was asked for.
    if (matchMedia("(pointer: coarse)").matches) input.blur();
  });
  watchShortcuts(input);
  offerSwitch(document.getElementById("page.keys"));
}
