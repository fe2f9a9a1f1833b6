/**
 * Sorts and filters the table of sessions. The page is complete without it, and its controls are hidden until it runs.
 * The script is a text, because a browser runs it and Node does not. test/process/sessions-report.test.ts runs it in
 * Chromium.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
  const table = document.getElementById("sessions");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const controls = document.getElementById("controls");
  const text = document.getElementById("filter-text");
  const selects = [...controls.querySelectorAll("select")];
  const shown = document.getElementById("shown");
  const numbers = new Intl.NumberFormat("en");

  function filter() {
    const wanted = text.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      const fits =
        wanted.every((word) => words[index].includes(word)) &&
        selects.every((select) => select.value === "" || row.dataset[select.name] === select.value);
      row.hidden = !fits;
      if (fits) count += 1;
    });
    shown.textContent = numbers.format(count) + " of " + numbers.format(rows.length) + " rows";
  }

  const keyOf = (cell) => (cell.dataset.key === undefined ? cell.textContent : Number(cell.dataset.key));

  function sort(heading, direction) {
    const column = heading.cellIndex;
    const keyed = rows.map((row, index) => ({ row, index, key: keyOf(row.cells[column]) }));
    const factor = direction === "ascending" ? 1 : -1;
    const collator = new Intl.Collator("en", { numeric: true });
    keyed.sort((a, b) => {
      const order = typeof a.key === "number" ? a.key - b.key : collator.compare(a.key, b.key);
      return order === 0 ? a.index - b.index : factor * order;
    });
    body.append(...keyed.map(({ row }) => row));
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
  }

  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const first = heading.classList.contains("num") ? "descending" : "ascending";
      const now = heading.getAttribute("aria-sort");
      sort(heading, now === null ? first : now === "ascending" ? "descending" : "ascending");
    });
  }
  text.addEventListener("input", filter);
  for (const select of selects) select.addEventListener("input", filter);
  controls.hidden = false;
  filter();
})();
`;
