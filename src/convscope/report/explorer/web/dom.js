// Elements of the page: found by name, and made.

/** The element with an id, which the page has. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element with properties and children. */
export function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
