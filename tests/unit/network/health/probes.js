// What the tests ask of the page, from outside it: return probes[name](...arguments).
const shown = element => element.checkVisibility() && element.getClientRects().length > 0;
const every = selector => [...document.querySelectorAll(selector)];
const scrolls = element =>
  element !== null && (getComputedStyle(element).overflowX === 'auto' || scrolls(element.parentElement));

const channels = colour => colour.match(/[\d.]+/g).slice(0, 3).map(channel => channel / 255);
const luminance = colour => {
  const [red, green, blue] = channels(colour).map(value =>
    value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const background = element => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour === 'rgba(0, 0, 0, 0)' ? background(element.parentElement) : colour;
};
const contrast = element => {
  const [dark, bright] = [getComputedStyle(element).color, background(element)].map(luminance).sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
};

const probes = {
  // How wide the screen and the page are, and what reaches beyond the screen outside a box that scrolls.
  width: () => {
    const screen = document.documentElement.clientWidth;
    const beyond = every('body *')
      .filter(element => element.getBoundingClientRect().right > screen + 1 && !scrolls(element))
      .map(element => element.outerHTML.slice(0, 200));
    return {screen, page: document.documentElement.scrollWidth, beyond};
  },
  // Whether a text can be seen.
  seen: text => every('body *').some(element => shown(element) && (element.innerText ?? '').includes(text)),
  // Width and height of each element.
  boxes: selector => every(selector).map(element => {
    const {width, height} = element.getBoundingClientRect();
    return [width, height];
  }),
  // Texts whose contrast with what is behind them is less than WCAG's AA demands.
  faint: () => every('h1, h2, h3, p, td, th, li, b, summary, span, small, code, figcaption')
    .filter(element => shown(element) && element.innerText.trim() && contrast(element) < 4.5)
    .map(element => [contrast(element), element.innerText.slice(0, 40)]),
  // Which hosts are unfolded.
  unfolded: () => every('#checks > details').map(element => element.open),
  unfold: () => every('details').forEach(element => { element.open = true; }),
  dark: () => matchMedia('(prefers-color-scheme: dark)').matches,
  // What could do something by itself.
  active: () => document.scripts.length + document.images.length,
  title: () => document.title,
};
