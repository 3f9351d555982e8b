"use strict";

// the contents: folded on a phone, always open beside the text, the section in view marked
const contents = document.querySelector("nav details");
const narrow = matchMedia("(max-width: 60rem)");
const fold = () => { contents.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();

const links = new Map(
  [...contents.querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link])
);
contents.addEventListener("click", (event) => {
  if (event.target.closest("a")) fold();
});
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    links.get(target.id).ariaCurrent = isIntersecting ? "true" : null;
  }
}, { rootMargin: "-20% 0px -79% 0px" });
for (const section of document.querySelectorAll("section")) inView.observe(section);

// tables: a click on a heading sorts up, then down, then as the file has it
const words = new Intl.Collator("en", { numeric: true });
const number = (text) => parseFloat(text.replace(/[<,\s]/g, ""));
const isTotal = (row) => row.className === "total";
const inOrder = (index, numeric, sign) => (one, other) => {
  if (isTotal(one) || isTotal(other)) return isTotal(one) - isTotal(other);
  const [a, b] = [one, other].map((row) => row.cells[index].textContent.trim());
  const missing = (a === "–") - (b === "–");
  if (missing || a === "–") return missing;
  return sign * (numeric ? number(a) - number(b) : words.compare(a, b));
};
const next = { none: "ascending", ascending: "descending", descending: "none" };
function makeSortable(table) {
  const body = table.tBodies[0];
  const asFiled = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  for (const [index, head] of heads.entries()) {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    head.ariaSort = "none";
    button.addEventListener("click", () => {
      const order = next[head.ariaSort];
      for (const each of heads) each.ariaSort = each === head ? order : "none";
      const sign = order === "ascending" ? 1 : -1;
      const compare = inOrder(index, head.style.textAlign === "right", sign);
      body.append(...(order === "none" ? asFiled : asFiled.toSorted(compare)));
    });
  }
}
for (const table of document.querySelectorAll(":not(.claim) > .box > table")) {
  if (table.tBodies[0].rows.length > 1) makeSortable(table);
}

// figures: a click shows one at its full size; Esc, the button or a click outside closes it
const dialog = document.querySelector("dialog");
for (const link of document.querySelectorAll(".enlarge")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { src, alt } = link.querySelector("img");
    Object.assign(dialog.querySelector("img"), { src, alt });
    dialog.querySelector("p").textContent = alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

// a printed page has no details to open
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("main details")) folded.open = true;
});
