"""What anybody must be able to read and to name on a page (WCAG AA)."""

from playwright.async_api import Page

#: Tells the words whose contrast with what is behind them is below 4.5, or 3 for large ones.
TOO_FAINT = """() => {
  const channel = (part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const read = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    const [r, g, b, a = 1] = parts;
    return colour.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((part, at) => part * a + ground[at] * (1 - a));
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(read(getComputedStyle(at).backgroundColor));
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reduce((below, layer) => over(layer, below), dark ? [13, 21, 25] : [255, 255, 255]);
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const hidden = !element.getBoundingClientRect().width || element.closest("[hidden], noscript, :disabled");
    if (!walk.currentNode.data.trim() || hidden) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const [high, low] = [light(over(read(style.color), below)), light(below)].sort((one, two) => two - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    if ((high + 0.05) / (low + 0.05) < (large ? 3 : 4.5)) faint.push(walk.currentNode.data.trim());
  }
  return faint;
}"""
#: Tells the controls that a screen reader would announce without a name.
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
  .filter((each) => each.getBoundingClientRect().width)
  .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
  .map((each) => each.outerHTML)"""


async def readable(page: Page, where: str) -> None:
    """Every word stands out from its ground, and every control has a name."""
    assert await page.evaluate(TOO_FAINT) == [], where
    assert await page.evaluate(NAMELESS) == [], where
