// The image, the gray window that is moved over it, and the outline of what a unit sees.

import { byId } from "./dom.js";
import { drawImage, drawMap } from "./colors.js";
import { pixelsNow } from "./network.js";
import { within } from "./state.js";
import { square } from "./words.js";

const USUAL = 7; // the size of a window that is put down without a choice
const FAR = 4; // pixels that an arrow key moves it with Shift
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Picture {
  #app;
  #image = byId("image");
  #over = byId("over");
  #size = byId("size");
  #sizes; // that the window may have, ascending; 0 is none

  constructor(app) {
    this.#app = app;
    const { recorded, side } = app.page;
    const sizes = recorded?.windows.sizes ?? Array.from({ length: side }, (_, at) => at + 1);
    this.#sizes = [0, ...sizes].sort((a, b) => a - b);
    this.#size.max = this.#sizes.length - 1;
    this.#image.addEventListener("pointerdown", (event) => {
      this.#image.setPointerCapture(event.pointerId);
      this.#drag(event);
    });
    this.#image.addEventListener("pointermove", (event) => {
      if (this.#image.hasPointerCapture(event.pointerId)) this.#drag(event);
    });
    this.#image.addEventListener("keydown", (event) => this.#key(event));
    this.#size.addEventListener("input", () => this.#resize(this.#sizes[Number(this.#size.value)]));
    byId("uncover").addEventListener("click", () => app.change({ window: null }));
  }

  #place({ size, row, column }) {
    const fitting = this.#app.size(size);
    const shift = shifted(size, fitting);
    this.#app.change({ window: within({ size: fitting, row: row + shift, column: column + shift }, this.#app.page.side) });
  }

  #drag(event) {
    event.preventDefault();
    this.#image.focus({ preventScroll: true });
    const { left, top, width } = this.#image.getBoundingClientRect();
    const pixel = this.#app.page.side / width;
    const size = this.#app.state.window?.size ?? USUAL;
    const corner = (at) => Math.round(at * pixel - size / 2);
    this.#place({ size, row: corner(event.clientY - top), column: corner(event.clientX - left) });
  }

  #key(event) {
    const { window } = this.#app.state;
    const { side } = this.#app.page;
    const [down, right] = STEPS[event.key] ?? [0, 0];
    const larger = { "+": 1, "=": 1, "-": -1 }[event.key] ?? 0;
    if (event.key === "Escape") this.#app.change({ window: null });
    else if (larger) this.#resize(this.#sizes[this.#step(window) + larger] ?? window?.size ?? 0);
    else if (down || right) {
      const far = event.shiftKey ? FAR : 1;
      const middle = Math.floor((side - USUAL) / 2);
      const { size, row, column } = window ?? { size: USUAL, row: middle, column: middle };
      this.#place(window ? { size, row: row + far * down, column: column + far * right } : { size, row, column });
    } else return;
    event.preventDefault();
  }

  /** The place of the window's size among those that it may have. */
  #step(window) {
    return this.#sizes.findLastIndex((size) => size <= (window?.size ?? 0));
  }

  /** Give the window another size about its middle; 0 takes it away. */
  #resize(size) {
    const { side } = this.#app.page;
    const middle = (side - size) / 2;
    const { window } = this.#app.state;
    if (size < 1) this.#app.change({ window: null });
    else if (!window) this.#place({ size, row: Math.floor(middle), column: Math.floor(middle) });
    else {
      const shift = shifted(window.size, size);
      this.#place({ size, row: window.row + shift, column: window.column + shift });
    }
  }

  /** Show an image with the window, what the unit that is looked at sees, and a map over it if there is one. */
  show({ window }, image, field, map) {
    drawImage(this.#image, pixelsNow(image, window));
    this.#image.ariaLabel = `${this.#app.named(image)}. A gray window can be moved over it.`;
    this.#size.value = this.#step(window);
    byId("uncover").disabled = !window;
    byId("place").textContent = window ? `${square(window.size)} at ${window.row}, ${window.column}` : "none";
    this.#size.setAttribute("aria-valuetext", byId("place").textContent);
    byId("caption").textContent = this.#app.named(image);
    this.#outline(window, field, map);
  }

  #outline(window, field, map) {
    const { side } = this.#app.page;
    const scale = 16; // lines are thinner than pixels
    this.#over.width = side * scale;
    this.#over.height = side * scale;
    const context = this.#over.getContext("2d");
    if (map) {
      const small = document.createElement("canvas");
      drawMap(small, map.values, { low: 0, high: 1, colors: map.colors });
      const reach = (map.size - 1) / 2;
      context.globalAlpha = 0.65;
      context.imageSmoothingEnabled = false;
      const across = small.width * scale;
      context.drawImage(small, reach * scale, reach * scale, across, across);
      context.globalAlpha = 1;
    }
    const box = (dashes, { top, left, height, width }) => {
      for (const [color, thick] of [["#000", 5], ["#fff", 2.5]]) {
        context.strokeStyle = color;
        context.lineWidth = thick;
        context.setLineDash(color === "#fff" ? dashes : []);
        context.strokeRect(left * scale, top * scale, width * scale, height * scale);
      }
    };
    if (window) box([], { top: window.row, left: window.column, height: window.size, width: window.size });
    if (field) box([10, 8], field);
  }
}

/** How far the corner of a window moves that gets another size about its middle pixel. */
function shifted(before, after) {
  return Math.floor(before / 2) - Math.floor(after / 2);
}
