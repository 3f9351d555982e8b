// What the page shows, as an address that can be shared: #image=12&off=conv2.8&window=7@10,4

/**
 * @typedef {object} State
 * @property {number} image its number in the test set; negative: a picture of one's own, -1 the first
 * @property {Map<string, Set<number>>} off by convolution, the filters that are switched off
 * @property {?{size: number, row: number, column: number}} window a gray square, and its top left pixel
 * @property {?{layer: string, filter: number, row: number, column: number}} look a unit of a feature map
 * @property {?number} map the size of the windows of the occlusion map; null without one
 */

const NUMBER = "(-?\\d{1,7})";
const WHOLE = new RegExp(`^${NUMBER}$`);
const FILTER = new RegExp(`^([a-z]+\\d+)\\.${NUMBER}$`);
const WINDOW = new RegExp(`^${NUMBER}@${NUMBER},${NUMBER}$`);
const UNIT = new RegExp(`^([a-z]+\\d+)\\.${NUMBER}@${NUMBER},${NUMBER}$`);
const STUDY = "study"; // the filters that the study switches off, in a word

/** The state of a page that was opened without an address. */
export function start(page) {
  return { image: page.images[0].number, off: new Map(), window: null, look: null, map: null };
}

/** The state that an address stands for; what the page does not have is left out. */
export function parse(address, page) {
  const fields = new URLSearchParams(address.replace(/^#/, ""));
  const state = start(page);
  const image = whole(fields.get("image"));
  if (page.images.some(({ number }) => number === image)) state.image = image;
  state.off = parseFilters(fields.get("off") ?? "", page);
  const window = WINDOW.exec(fields.get("window") ?? "");
  if (window) {
    const [size, row, column] = window.slice(1).map(Number);
    state.window = within({ size, row, column }, page.side);
  }
  state.look = parseUnit(fields.get("look") ?? "", page);
  const map = whole(fields.get("map"));
  if (map >= 1 && map <= page.side) state.map = map;
  return state;
}

/** A whole number; NaN of all else, as of an empty text. */
function whole(text) {
  return WHOLE.test(text ?? "") ? Number(text) : NaN;
}

function inside(value, end) {
  return value >= 0 && value < end;
}

function parseFilters(text, page) {
  if (text === STUDY) return copied(page.study.filters);
  const off = new Map();
  for (const name of text.split(",")) {
    const [, layer, number] = FILTER.exec(name) ?? [];
    const filters = page.convolutions.find((each) => each.name === layer)?.filters ?? 0;
    if (inside(Number(number), filters)) off.set(layer, (off.get(layer) ?? new Set()).add(Number(number)));
  }
  return off;
}

function parseUnit(text, page) {
  const [, layer, ...numbers] = UNIT.exec(text) ?? [];
  const convolution = page.convolutions.find(({ name }) => name === layer);
  const [filter, row, column] = numbers.map(Number);
  if (!convolution || !inside(filter, convolution.filters)) return null;
  if (!inside(row, convolution.size) || !inside(column, convolution.size)) return null;
  return { layer, filter, row, column };
}

/** The address of a state, beginning with #. */
export function format(state, page) {
  const fields = [`image=${state.image}`];
  if (state.off.size) {
    const study = same(state.off, page.study.filters);
    fields.push(`off=${study ? STUDY : names(state.off).map((name) => name.replace("/", ".")).join()}`);
  }
  if (state.window) fields.push(`window=${state.window.size}@${state.window.row},${state.window.column}`);
  if (state.look) {
    const { layer, filter, row, column } = state.look;
    fields.push(`look=${layer}.${filter}@${row},${column}`);
  }
  if (state.map) fields.push(`map=${state.map}`);
  return `#${fields.join("&")}`;
}

/** A window of at least a pixel that lies in an image of such a side. */
export function within({ size, row, column }, side) {
  const most = (value, end) => Math.min(Math.max(value, 0), end);
  const fitting = Math.min(Math.max(size, 1), side);
  return { size: fitting, row: most(row, side - fitting), column: most(column, side - fitting) };
}

/** The names of filters as tables have them, conv2/8, by convolution. */
export function names(off) {
  return [...off].flatMap(([layer, set]) => [...set].sort((a, b) => a - b).map((each) => `${layer}/${each}`));
}

/** Whether two choices of filters are one. */
export function same(one, other) {
  return names(one).sort().join() === names(other).sort().join();
}

/** The filters with one of them switched over. */
export function switched(off, layer, filter) {
  const found = copied(off);
  const set = found.get(layer) ?? new Set();
  if (!set.delete(filter)) set.add(filter);
  if (set.size) found.set(layer, set);
  else found.delete(layer);
  return found;
}

function copied(off) {
  return new Map([...off].map(([layer, set]) => [layer, new Set(set)]));
}
