/* Given links to citations, the same in a dialog over the page, each form with a button that copies it. */

export function watchCitations() {
  addCopyButtons(document);
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.cite");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      const response = await fetch(link.href, { headers: { Accept: "text/html" } });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      open(page.getElementById("page.citation"));
    } catch {
      location.assign(link.href);
    }
  });
}

function open(citation) {
  const dialog = document.createElement("dialog");
  dialog.className = "citation-dialog";
  dialog.setAttribute("aria-labelledby", "page.citation-title");
  const close = button("Close");
  close.className = "close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(close, document.importNode(citation, true));
  addCopyButtons(dialog);
  // A click beside the dialog is one on its backdrop.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function addCopyButtons(root) {
  for (const block of root.querySelectorAll(".copyable")) {
    const text = block.querySelector("pre");
    const copy = button("Copy");
    copy.setAttribute("aria-describedby", block.querySelector("h2, h3").id);
    const told = document.createElement("span");
    told.setAttribute("role", "status");
    copy.addEventListener("click", async () => {
      told.textContent = (await copied(text)) ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => (told.textContent = ""), 4000);
    });
    text.before(copy, told);
  }
}

/* The clipboard is there on secure pages alone; elsewhere the text is selected, and one key copies it. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

function button(text) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  return made;
}
