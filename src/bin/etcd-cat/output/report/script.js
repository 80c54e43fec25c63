
"use strict";
(() => {
  const table = document.getElementById("list");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const words = document.getElementById("words");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");
  const signs = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  const plain = (markup) => markup.replace(/<[^>]*>/g, " ").replace(/&(amp|lt|gt|quot|#39);/g, (_, sign) => signs[sign]);
  const read = (row) => {
    const folded = row.querySelector("noscript");
    return folded ? row.textContent.replace(folded.textContent, plain) : row.textContent;
  };
  const texts = rows.map(() => null);
  const text = (index) => (texts[index] ??= read(rows[index]).toLowerCase());
  rows.forEach((row, index) => { row.number = index; });

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      const fits = (!verdict.value || row.cells[0].textContent === verdict.value)
        && wanted.every((word) => text(index).includes(word));
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count} of ${rows.length} shown`;
  };

  /* Where scripts are on, what is folded is one piece of text until somebody wants to see it: then it becomes what it is
     where they are off. */
  const unfold = (row) => {
    const folded = row.querySelector("noscript");
    if (!folded) return;
    const whole = new DOMParser().parseFromString(folded.textContent, "text/html");
    folded.replaceWith(...whole.body.childNodes);
  };
  const unfoldAll = () => rows.forEach(unfold);
  body.addEventListener("toggle", (event) => unfold(event.target.closest("tr")), true);
  addEventListener("beforeprint", unfoldAll);
  matchMedia("print").addEventListener("change", unfoldAll);

  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.n === undefined ? cell.textContent : Number(cell.dataset.n);
  };
  const sort = (heading, column) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((row) => [value(row, column), row]);
    keyed.sort(([a, one], [b, other]) => {
      const order = a < b ? -1 : a > b ? 1 : 0;
      return (down ? -order : order) || one.number - other.number;
    });
    body.append(...keyed.map(([, row]) => row));
  };

  Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading, column));
    heading.replaceChildren(button);
  });
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); };
  words.addEventListener("input", soon);
  verdict.addEventListener("change", filter);
  const form = document.getElementById("filter");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
