// Stands in for the engine where a network is too wide to run here: answers that were computed before.

import { floats, integers, shares } from "./data.js";
import { softmax } from "./network.js";
import { names, same } from "./state.js";
import { counted, listed, square } from "./words.js";

export class Recorded {
  live = false;
  #page;
  #told;
  #windows;
  #together;
  #alone;
  #maps;

  constructor(page, told) {
    const { windows, together, alone, maps } = page.recorded;
    this.#page = page;
    this.#told = told;
    this.#windows = { ...windows, shares: shares(windows.shares) };
    this.#together = floats(together);
    this.#alone = { ...alone, logits: floats(alone.logits) };
    this.#maps = Object.entries(maps).map(([layer, map]) => [layer, { ...map, values: integers(map.values) }]);
  }

  /** Look an answer up; it is there at once, or there is none, and the page says so. */
  ask(asked) {
    const { image, off, window } = asked;
    const at = this.#page.images.indexOf(image);
    const untouched = !window && !off.size;
    const probabilities = untouched ? softmax(image.logits) : this.#changed(at, off, window);
    const maps = new Map(untouched ? this.#maps.map(([layer, map]) => [layer, this.#map(layer, map, at)]) : []);
    const missing = "This was not computed before. What was is said below the bars.";
    queueMicrotask(() => this.#told({ asked, probabilities, maps, missing }));
  }

  /** Nothing: the pipeline's maps are all there are. */
  map() {}

  #changed(at, off, window) {
    if (window && off.size) return null;
    return window ? this.#covered(at, window) : this.#ablated(at, off);
  }

  #covered(at, { size, row, column }) {
    const { sizes, images, shares: values } = this.#windows;
    const place = images.indexOf(at);
    if (place < 0 || !sizes.includes(size)) return null;
    const { classes, side } = this.#page;
    const positions = (each) => (side - each + 1) ** 2;
    const before = sizes.slice(0, sizes.indexOf(size)).reduce((sum, each) => sum + images.length * positions(each), 0);
    const first = before + place * positions(size) + row * (side - size + 1) + column;
    return [...values.subarray(first * classes.length, (first + 1) * classes.length)];
  }

  #ablated(at, off) {
    const { classes, images, study } = this.#page;
    const logits = (values, row) => softmax(values.subarray(row * classes.length, (row + 1) * classes.length));
    if (same(off, study.filters)) return logits(this.#together, at);
    const [only, ...more] = names(off);
    const filter = this.#alone.filters.indexOf(only);
    return more.length || filter < 0 ? null : logits(this.#alone.logits, filter * images.length + at);
  }

  #map(layer, { scale, size, filters, values }, at) {
    const area = size * size;
    const { filters: count } = this.#page.convolutions.find(({ name }) => name === layer);
    const found = new Float32Array(count * area).fill(NaN);
    for (const [place, filter] of filters.entries()) {
      const first = (place * this.#page.images.length + at) * area;
      found.set(Float32Array.from(values.subarray(first, first + area), (step) => step * scale / 127), filter * area);
    }
    return found;
  }

  /** What there are answers for, in words. */
  known() {
    const { sizes, images } = this.#windows;
    return `${this.#page.net} is too wide to run in a page. Computed before: windows of ${listed(sizes.map(square))} on the `
      + `${counted(images.length, "image")} that have occlusion maps, and, without a window, the selected filters off or `
      + `one of ${counted(this.#alone.filters.length, "filter")}: ${this.#alone.filters.join(", ")}.`;
  }

  /** How many of a convolution's feature maps there are. */
  maps_of(layer) {
    return this.#maps.find(([name]) => name === layer)?.[1].filters.length ?? 0;
  }
}
