// The filter that is looked at: its map, large, what its unit sees, what it costs, and the images that it likes.

import { byId, made } from "./dom.js";
import { drawImage, drawMap, reach } from "./colors.js";
import { switched } from "./state.js";
import { measured, square } from "./words.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Filter {
  #app;
  #map = made("canvas", { id: "map", tabIndex: 0 });
  #patch = made("canvas", { id: "patch" });
  #name = made("h3");
  #toggle = made("button", { type: "button" });
  #close = made("button", { type: "button" }, "Close");
  #unit = made("p");
  #costs = made("p");
  #liked = made("div", { className: "liked" });

  constructor(app) {
    this.#app = app;
    this.#map.setAttribute("role", "application");
    this.#map.addEventListener("click", (event) => this.#point(event));
    this.#map.addEventListener("keydown", (event) => this.#key(event));
    this.#toggle.addEventListener("click", () => {
      const { look, off } = app.state;
      app.change({ off: switched(off, look.layer, look.filter) });
    });
    this.#close.addEventListener("click", () => app.change({ look: null }));
    byId("filter").addEventListener("keydown", ({ key }) => {
      if (key === "Escape") app.change({ look: null });
    });
    const head = made("div", { className: "row" }, this.#name, this.#toggle, this.#close);
    const views = made("div", { className: "views" }, this.#map, this.#patch);
    byId("filter").append(head, views, this.#unit, this.#costs, this.#liked);
  }

  #point(event) {
    const { look } = this.#app.state;
    const { size } = this.#app.convolution(look.layer);
    const { left, top, width } = this.#map.getBoundingClientRect();
    const place = (at) => Math.min(size - 1, Math.max(0, Math.floor(at / width * size)));
    this.#app.change({ look: { ...look, row: place(event.clientY - top), column: place(event.clientX - left) } });
  }

  #key(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const { look } = this.#app.state;
    const { size } = this.#app.convolution(look.layer);
    const inside = (at) => Math.min(size - 1, Math.max(0, at));
    this.#app.change({ look: { ...look, row: inside(look.row + step[0]), column: inside(look.column + step[1]) } });
  }

  /** Show what is known of the filter without an answer. */
  show({ look, off }, field) {
    byId("filter").hidden = !look;
    if (!look) return;
    const { page } = this.#app;
    const name = `${look.layer}/${look.filter}`;
    const isOff = off.get(look.layer)?.has(look.filter) ?? false;
    this.#name.textContent = name;
    this.#toggle.textContent = isOff ? "Switch on" : "Switch off";
    this.#toggle.ariaPressed = String(isOff);
    this.#map.ariaLabel = `Feature map of ${name}. Arrow keys choose the unit.`;
    const whole = field.full.height === field.height && field.full.width === field.width;
    const cut = whole ? "" : `, cut off at the border to ${field.height} \u00d7 ${field.width}`;
    this.#unit.textContent = `The unit at row ${look.row}, column ${look.column} sees ${square(field.full.height)} pixels${cut}: its receptive field, dashed on the image.`;
    this.#costs.textContent = measured({ ...page.alone[look.layer][look.filter], images: page.alone_images }, "Off alone, it costs");
    this.#like(name, look);
  }

  #like(name, { layer, filter }) {
    const { page } = this.#app;
    const over = page.top[name];
    const tops = over?.images ?? page.top_here[layer][filter];
    const where = over?.images ? "of the test set" : "among the images of this page";
    this.#liked.replaceChildren(
      made("p", { className: "soft" }, over?.dead
        ? "Dead: no test image makes its map positive anywhere, so that ReLU leaves nothing of it."
        : `The images ${where} to which it responds most, each with what its strongest unit sees.`),
      ...tops.map(([number, ...patch]) => this.#thumbnail(number, patch)),
    );
  }

  #thumbnail(number, [top, left, bottom, right]) {
    const image = this.#app.image(number);
    const canvas = made("canvas");
    drawImage(canvas, image.pixels);
    const { side } = this.#app.page;
    const part = (value) => `${100 * value / side}%`;
    const box = made("span", { className: "box" });
    Object.assign(box.style, {
      top: part(top), left: part(left), height: part(bottom - top), width: part(right - left),
    });
    const button = made("button", { type: "button", title: `Show ${this.#app.named(image)}` }, canvas, box);
    button.ariaLabel = button.title;
    button.addEventListener("click", () => this.#app.change({ image: number }));
    return button;
  }

  /** Draw its map of an answer, on its layer's scale, and the part of the image that the unit sees. */
  draw({ look }, maps, field, pixels) {
    if (!look) return;
    const { size, filters } = this.#app.convolution(look.layer);
    const area = size * size;
    const layer = maps.get(look.layer) ?? new Float32Array(filters * area).fill(NaN);
    const high = reach(layer);
    const values = layer.subarray(look.filter * area, (look.filter + 1) * area);
    drawMap(this.#map, values, { low: -high, high, colors: this.#app.colors.difference });
    this.#mark(look, size);
    drawPart(this.#patch, pixels, field);
    const value = values[look.row * size + look.column];
    this.#map.title = Number.isNaN(value) ? "not computed" : `${value.toFixed(2)} at row ${look.row}, column ${look.column}`;
  }

  #mark({ row, column }, size) {
    const small = document.createElement("canvas");
    const scale = Math.max(1, Math.floor(160 / size));
    small.width = size;
    small.height = size;
    small.getContext("2d").drawImage(this.#map, 0, 0);
    this.#map.width = size * scale;
    this.#map.height = size * scale;
    const context = this.#map.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, size * scale, size * scale);
    for (const [color, thick] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = thick;
      context.strokeRect(column * scale, row * scale, scale, scale);
    }
  }
}

/** Draw a part of an image, in a square of the size that the part would have if it were not cut off. */
function drawPart(canvas, pixels, { top, left, height, width, full }) {
  const whole = document.createElement("canvas");
  drawImage(whole, pixels);
  canvas.width = full.width;
  canvas.height = full.height;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, full.width, full.height);
  context.drawImage(whole, left, top, width, height, left - full.left, top - full.top, width, height);
}
