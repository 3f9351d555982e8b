// Numbers as colors, by the color maps of the report's figures; and small pictures drawn with them.

import { CHANNELS } from "./network.js";

/** A color as a canvas has it in memory, its bytes red, green, blue and opaque. */
function packed(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A color map from the page's text, six hexadecimal digits a color. */
export function palette(text) {
  return Uint32Array.from({ length: text.length / 6 }, (_, at) => {
    const color = parseInt(text.slice(6 * at, 6 * at + 6), 16);
    return packed(color >> 16, (color >> 8) & 255, color & 255);
  });
}

/** A color of a map, for a style sheet. */
export function css(colors, share) {
  const color = colors[Math.round(share * (colors.length - 1))];
  return `rgb(${color & 255} ${(color >> 8) & 255} ${(color >> 16) & 255})`;
}

/** Draw a square map of values, from low to high along the colors; what is not a number stays clear. */
export function drawMap(canvas, values, { low, high, colors }) {
  const last = colors.length - 1;
  const scale = high > low ? last / (high - low) : 0;
  draw(canvas, Math.sqrt(values.length), (target) => {
    for (let at = 0; at < values.length; at += 1) {
      const place = scale ? (values[at] - low) * scale : last / 2;
      if (!Number.isNaN(place)) target[at] = colors[Math.min(last, Math.max(0, Math.round(place)))];
    }
  });
}

/** Draw an image of values in [0, 1], channel by channel. */
export function drawImage(canvas, pixels) {
  const area = pixels.length / CHANNELS;
  const level = (at) => Math.round(255 * pixels[at]);
  draw(canvas, Math.sqrt(area), (target) => {
    for (let at = 0; at < area; at += 1) {
      target[at] = packed(level(at), level(area + at), level(2 * area + at));
    }
  });
}

function draw(canvas, side, fill) {
  if (canvas.width !== side) {
    canvas.width = side;
    canvas.height = side;
  }
  const context = canvas.getContext("2d");
  const picture = context.createImageData(side, side);
  fill(new Uint32Array(picture.data.buffer));
  context.putImageData(picture, 0, 0);
}

/** The largest absolute value of those that are numbers: one scale for all maps of a layer. */
export function reach(values) {
  let found = 0;
  for (const value of values) if (Math.abs(value) > found) found = Math.abs(value);
  return found;
}
