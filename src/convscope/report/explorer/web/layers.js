// Every convolution's feature maps, small, each a button that chooses the filter; one scale a layer.

import { byId, made } from "./dom.js";
import { css, drawMap, reach } from "./colors.js";
import { switched } from "./state.js";
import { counted, square } from "./words.js";

export class Layers {
  #app;
  #tiles = new Map(); // by convolution
  #near = new Set(); // those that are on the screen, or almost
  #last = null;

  constructor(app) {
    this.#app = app;
    const watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#near.add(target.dataset.name);
        else this.#near.delete(target.dataset.name);
      }
      if (this.#last) this.draw(...this.#last);
    }, { rootMargin: "200px" });
    for (const convolution of app.page.convolutions) {
      const layer = this.#layer(convolution);
      byId("layers").append(layer);
      watcher.observe(layer);
    }
    const colors = app.colors.difference;
    const ramp = [0, 0.25, 0.5, 0.75, 1].map((share) => css(colors, share)).join(", ");
    const norm = app.page.norms ? "after batch norm (which shifts and scales each map to what was usual in training) and " : "";
    byId("scale").append(
      `The feature maps of the image as it is now, ${norm}before ReLU (which makes what is below 0 zero), from below 0 `,
      made("span", { className: "ramp", style: `background: linear-gradient(to right, ${ramp})` }),
      " to above, on one scale a layer.",
    );
  }

  #layer({ name, filters, size, field }) {
    const tiles = Array.from({ length: filters }, (_, filter) => {
      const tile = made("button", { type: "button" }, made("canvas"));
      tile.addEventListener("click", (event) => this.#choose(name, filter, size, event));
      return tile;
    });
    this.#tiles.set(name, tiles);
    const { live } = this.#app.engine;
    const known = live ? "" : ` (${this.#app.engine.maps_of(name)} computed, of images as they are)`;
    const sees = `${counted(filters, "map")} of ${square(size)}${known}; a unit sees ${square(field.size)} pixels, its receptive field`;
    const box = made("div", { className: "tiles" }, ...tiles);
    box.addEventListener("keydown", (event) => move(event, tiles));
    const layer = made("div", { className: "layer" }, made("h3", {}, name, made("span", { className: "soft" }, ` ${sees}`)), box);
    layer.dataset.name = name;
    return layer;
  }

  /** Look at the unit that was clicked, or with a key at the one that is largest; with Shift switch the filter. */
  #choose(layer, filter, size, event) {
    if (event.shiftKey) {
      this.#app.change({ off: switched(this.#app.state.off, layer, filter) });
      return;
    }
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const place = (at, length) => Math.min(size - 1, Math.max(0, Math.floor(at / length * size)));
    const clicked = event.detail > 0;
    const unit = clicked
      ? { row: place(event.clientY - top, height), column: place(event.clientX - left, width) }
      : this.#app.strongest(layer, filter);
    this.#app.change({ look: { layer, filter, ...unit } });
  }

  /** Show which filters are off, and which one is looked at. */
  show({ off, look }) {
    for (const [name, tiles] of this.#tiles) {
      for (const [filter, tile] of tiles.entries()) {
        const isOff = off.get(name)?.has(filter) ?? false;
        const chosen = look?.layer === name && look.filter === filter;
        tile.className = [isOff && "off", chosen && "chosen"].filter(Boolean).join(" ");
        tile.ariaPressed = String(chosen);
        tile.ariaLabel = `${name}/${filter}${isOff ? ", off" : ""}`;
        tile.title = tile.ariaLabel;
        tile.tabIndex = chosen || (filter === 0 && look?.layer !== name) ? 0 : -1;
      }
    }
  }

  /** Draw the maps that there are, where they can be seen. */
  draw(maps) {
    this.#last = [maps];
    for (const name of this.#near) {
      const tiles = this.#tiles.get(name);
      const area = this.#app.convolution(name).size ** 2;
      const values = maps.get(name) ?? new Float32Array(tiles.length * area).fill(NaN);
      const high = reach(values);
      for (const [filter, tile] of tiles.entries()) {
        const map = values.subarray(filter * area, (filter + 1) * area);
        drawMap(tile.firstChild, map, { low: -high, high, colors: this.#app.colors.difference });
      }
    }
  }
}

/** Arrow keys go from tile to tile. */
function move(event, tiles) {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  const next = tiles[tiles.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
