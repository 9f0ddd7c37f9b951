/* Given any key press, the two that lead to the box: Ctrl+K (Cmd+K), and / where nothing is being typed.

   Who controls the computer by voice may turn / off (WCAG 2.1.4); that is kept in the browser and nowhere else. */

const KEPT = "slash-key";

export function watchShortcuts(input) {
  input.setAttribute("aria-keyshortcuts", "/ Control+K");
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && slashIsOn();
    const letter = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!slash && !letter) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

export function offerSwitch(place) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = slashIsOn();
  box.addEventListener("change", () => keep(box.checked));
  label.append(box, " The / key leads to the search box, as does Ctrl+K");
  place.append(label);
}

function slashIsOn() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

function keep(on) {
  try {
    if (on) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, "off");
  } catch {
    // Then it holds for this page.
  }
}
