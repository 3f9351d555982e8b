// Whole occlusion maps: one that is computed here, in the background, and the pipeline's beside it.

import { byId, made } from "./dom.js";
import { css, drawMap } from "./colors.js";
import { same } from "./state.js";
import { largest, percent, square } from "./words.js";

export class Maps {
  #app;
  #here = null; // what was computed last: for which image, filters and size, and its values
  #running = false;
  #over = null; // what would be laid over the image

  constructor(app) {
    this.#app = app;
    byId("compute").textContent = app.engine.live ? "Compute it here" : "Show the pipeline\u2019s";
    byId("compute").addEventListener("click", () => this.#begin(Number(byId("map-size").value)));
    byId("cancel").addEventListener("click", () => app.change({ map: null }));
    byId("overlay").addEventListener("change", () => app.render());
    const colors = [0, 0.25, 0.5, 0.75, 1].map((share) => css(app.colors.sequential, share)).join(", ");
    this.ramp = () => made("p", { className: "soft" }, "0 % ", made("span", { className: "ramp", style: `background: linear-gradient(to right, ${colors})` }), " 100 %");
  }

  #begin(size) {
    const { side } = this.#app.page;
    if (Number.isInteger(size) && size >= 1 && size <= side) this.#app.change({ map: this.#app.size(size) });
  }

  /** Show the maps of the state's size, and compute the one that is not there. */
  show({ map: size, off }, image) {
    byId("cancel").hidden = !size;
    if (!size) {
      this.#stop();
      byId("maps").replaceChildren();
      return;
    }
    byId("map-size").value = size;
    if (this.#app.engine.live && image.logits) this.#keep(image, off, size);
    this.#draw(image, size);
  }

  /** Have the map computed, unless it is there or on its way. */
  #keep(image, off, size) {
    const label = image.label ?? largest([...image.logits]);
    const wanted = { image: image.number, off, size, label };
    const has = this.#here && this.#here.image === wanted.image && this.#here.size === size
      && this.#here.label === label && same(this.#here.off, off);
    if (!has) this.#compute(wanted, image);
  }

  #stop() {
    if (this.#running) this.#app.engine.map(null);
    this.#running = false;
    this.#here = null;
    this.#over = null;
    byId("progress").hidden = true;
  }

  #compute(wanted, image) {
    const { side } = this.#app.page;
    const across = side - wanted.size + 1;
    this.#here = { ...wanted, values: new Float32Array(across * across).fill(NaN) };
    this.#running = true;
    const progress = byId("progress");
    Object.assign(progress, { hidden: false, value: 0 });
    const task = { pixels: image.pixels, off: wanted.off, size: wanted.size, label: wanted.label, side };
    this.#app.engine.map(task, ({ done, total, values }) => {
      this.#here.values = values;
      progress.value = done / total;
      this.#running = done < total;
      progress.hidden = !this.#running;
      this.#draw(image, wanted.size);
      if (byId("overlay").checked) this.#app.render();
    });
  }

  #draw(image, size) {
    const { page } = this.#app;
    const recorded = page.maps.get(`${image.number}/${size}`);
    byId("cancel").textContent = this.#running ? "Stop" : "Remove";
    this.#over = { values: this.#here?.values ?? recorded, size };
    const figures = this.#here ? [this.#figure("Computed here", this.#here.values)] : [];
    if (recorded) figures.push(this.#figure("By the pipeline, all filters on", recorded));
    byId("maps").replaceChildren(...figures, this.ramp());
    if (!recorded) {
      const sizes = page.maps_of(image.number).map(square);
      byId("maps").append(made("p", { className: "soft" }, sizes.length
        ? `For this image the pipeline has maps of windows ${sizes.join(", ")}.`
        : "The pipeline has maps of other images: choose those that have occlusion maps."));
    }
  }

  #figure(title, values) {
    const canvas = made("canvas");
    drawMap(canvas, values, { low: 0, high: 1, colors: this.#app.colors.sequential });
    canvas.addEventListener("pointermove", (event) => {
      const across = Math.sqrt(values.length);
      const place = (at, length) => Math.min(across - 1, Math.max(0, Math.floor(at / length * across)));
      const [row, column] = [place(event.offsetY, canvas.clientHeight), place(event.offsetX, canvas.clientWidth)];
      const value = values[row * across + column];
      canvas.title = Number.isNaN(value) ? "not computed yet" : `${(100 * value).toFixed(2)} % with the window at ${row}, ${column}`;
    });
    const known = values.filter((value) => !Number.isNaN(value));
    const least = known.length ? percent(Math.min(...known)) : "\u2013";
    const mean = known.length ? percent(known.reduce((sum, value) => sum + value, 0) / known.length) : "\u2013";
    return made("figure", {}, canvas, made("figcaption", {}, title, made("br"), `mean ${mean}, least ${least}`));
  }

  /** The map to lay over the image, if that is wanted. */
  over() {
    const wanted = byId("overlay").checked && this.#over?.values;
    return wanted ? { ...this.#over, colors: this.#app.colors.sequential } : null;
  }
}
