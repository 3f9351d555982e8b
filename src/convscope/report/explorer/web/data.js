// What the page holds, unpacked: numbers that lie in its text as base64 become arrays.

import { CHANNELS } from "./network.js";

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Weights, floats whose last byte is left out. */
export function weights(text) {
  const packed = bytes(text);
  const words = new Uint8Array(packed.length / 3 * 4);
  for (let at = 0; at < packed.length / 3; at += 1) words.set(packed.subarray(3 * at, 3 * at + 3), 4 * at + 1);
  return Float64Array.from(new Float32Array(words.buffer));
}

/** Shares in [0, 1], in steps of 1 / 65535. */
export function shares(text) {
  return Float32Array.from(new Uint16Array(bytes(text).buffer), (step) => step / 65535);
}

/** Floats. */
export function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

/** Numbers from -127 to 127. */
export function integers(text) {
  return new Int8Array(bytes(text).buffer);
}

/** The page's own data: images with their pixels in [0, 1], filters by layer as sets, logits by image. */
export function unpacked(page) {
  const { side, classes } = page;
  const [pixels, logits] = [bytes(page.pixels), floats(page.logits)];
  const [area, count] = [CHANNELS * side * side, classes.length];
  const images = page.images.map((image, at) => ({
    ...image,
    pixels: Float32Array.from(pixels.subarray(at * area, (at + 1) * area), (level) => Math.fround(level / 255)),
    logits: logits.subarray(at * count, (at + 1) * count),
  }));
  const filters = new Map(Object.entries(page.study.filters).map(([layer, of]) => [layer, new Set(of)]));
  const maps_of = (number) => (page.maps.images.includes(number) ? page.maps.windows : []);
  return { ...page, images, study: { ...page.study, filters }, maps: recordedMaps(page), maps_of };
}

/** The occlusion maps that the pipeline computed: by image and size of the window. */
function recordedMaps({ maps, side }) {
  const values = shares(maps.values);
  const found = new Map();
  let at = 0;
  for (const size of maps.windows) {
    const area = (side - size + 1) ** 2;
    for (const image of maps.images) {
      found.set(`${image}/${size}`, values.subarray(at, at + area));
      at += area;
    }
  }
  return found;
}
