// Copies what a button names. Everything else on these pages is plain HTML, and works without this.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // a page that did not come by https or from this machine has none
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
