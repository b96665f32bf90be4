// Looks for news every few seconds while somebody can see the page; opens a question as a dialog; keeps menus open.
(() => {
  let last = Date.now();
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  setInterval(() => {
    const live = document.getElementById("live");
    if (document.hidden || !live.dataset.every || Date.now() - last < live.dataset.every * 1000) return;
    last = Date.now();
    htmx.trigger(live, "look");
  }, 500);
  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "question");
    dialog.append(...page.querySelector("#live").childNodes);
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    for (const back of dialog.querySelectorAll("a[data-close]")) back.addEventListener("click", (e) => { e.preventDefault(); dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  });
})();
