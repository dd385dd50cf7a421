"use strict";

// Everything that a cell says is in the page already; this opens, filters and moves.

const matrix = document.getElementById("matrix");
const rows = Array.from(matrix.querySelectorAll("tr[data-words]"));
const cells = Array.from(matrix.querySelectorAll("button[data-link]"));
const statuses = Array.from(document.querySelectorAll("button[aria-pressed]"));
const search = document.getElementById("search");

// Filtering: a row stays while one of its cells has every word and the chosen status.

function chosenStatus() {
  const pressed = statuses.find((button) => button.getAttribute("aria-pressed") === "true");
  return pressed ? pressed.dataset.status : "";
}

function matching(words, wanted) {
  return wanted.every((word) => words.includes(word));
}

function filter() {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const status = chosenStatus();
  let shown = 0;
  for (const row of rows) {
    const words = row.dataset.words.toLowerCase();
    const own = Array.from(row.querySelectorAll("button"));
    for (const cell of own) {
      const said = `${words} ${cell.dataset.law} ${cell.dataset.status}`.toLowerCase();
      const found = matching(said, wanted) && (!status || status === cell.dataset.status);
      cell.classList.toggle("faded", !found);
    }
    const found = own.length
      ? own.some((cell) => !cell.classList.contains("faded"))
      : !status && matching(words, wanted);
    row.hidden = !found;
    shown += found;
  }
  for (const body of matrix.tBodies) {
    body.hidden = !body.querySelector("tr[data-words]:not([hidden])");
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} claims shown`;
  document.getElementById("nothing").hidden = shown > 0;
  reachable(visible(cells.find((cell) => cell.tabIndex === 0)) || cells.find(visible));
}

function visible(cell) {
  return cell && !cell.closest("tr").hidden ? cell : undefined;
}

search.addEventListener("input", filter);
for (const button of statuses) {
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") === "true";
    statuses.forEach((other) => other.setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", String(!pressed));
    filter();
  });
}
document.getElementById("clear").addEventListener("click", () => {
  search.value = "";
  statuses.forEach((button) => button.setAttribute("aria-pressed", "false"));
  filter();
  search.focus();
});

// Moving: Tab reaches one cell of the matrix, the arrow keys the others.

function reachable(cell) {
  cells.forEach((other) => { other.tabIndex = other === cell ? 0 : -1; });
}

function along(list, from, step, cellOf) {
  for (let place = from + step; place >= 0 && place < list.length; place += step) {
    const cell = cellOf(list[place]);
    if (cell) { return cell; }
  }
  return undefined;
}

function neighbour(cell, key) {
  const place = cell.parentElement;
  const step = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return along(place.parentElement.cells, place.cellIndex, step, (other) => other.querySelector("button"));
  }
  const seen = rows.filter((row) => !row.hidden);
  return along(seen, seen.indexOf(place.parentElement), step,
    (row) => row.cells[place.cellIndex].querySelector("button"));
}

matrix.addEventListener("keydown", (event) => {
  if (!/^Arrow(Left|Right|Up|Down)$/.test(event.key) || !event.target.dataset.link) { return; }
  event.preventDefault();
  const next = neighbour(event.target, event.key);
  if (next) { next.focus(); }
});
matrix.addEventListener("focusin", (event) => {
  if (event.target.dataset.link) { reachable(event.target); }
});
document.addEventListener("keydown", (event) => {
  const elsewhere = document.activeElement !== search && !document.querySelector("dialog[open]");
  if (event.key === "/" && elsewhere && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
});

// Opening: the address names the open cell as #claim/law.

function open(cell) {
  const dialog = document.getElementById(cell.dataset.dialog);
  const opened = document.querySelector("dialog[open]");
  if (opened === dialog) { return; }
  if (opened) { opened.close(); }
  dialog.showModal();
  dialog.querySelector("h2").focus();
  dialog.scrollTop = 0;
  history.replaceState(null, "", `#${cell.dataset.link}`);
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function follow() {
  const wanted = decoded(location.hash.slice(1));
  const cell = cells.find((other) => decoded(other.dataset.link) === wanted);
  if (cell) { open(cell); }
}

function step(from, direction) {
  const findings = cells.filter((cell) => visible(cell) && "finding" in cell.dataset);
  const after = (cell) => from.compareDocumentPosition(cell) & Node.DOCUMENT_POSITION_FOLLOWING;
  const next = direction > 0
    ? findings.find(after)
    : findings.filter((cell) => cell !== from && !after(cell)).pop();
  if (next) { open(next); } else { say(direction > 0 ? "This is the last one" : "This is the first one"); }
}

for (const cell of cells) {
  const dialog = document.getElementById(cell.dataset.dialog);
  cell.addEventListener("click", () => open(cell));
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target === dialog || (button && "close" in button.dataset)) { dialog.close(); }
    if (button && button.dataset.step) { step(cell, Number(button.dataset.step)); }
    if (button && "copy" in button.dataset) { copy(button); }
  });
  dialog.addEventListener("close", () => {
    if (document.querySelector("dialog[open]")) { return; }
    history.replaceState(null, "", location.href.split("#")[0]);
    cell.focus();
  });
}
window.addEventListener("hashchange", follow);

// Copying: where the clipboard is out of reach, the text is selected instead.

function say(text) {
  const place = document.querySelector("dialog[open]") || document.body;
  const said = document.getElementById("said");
  place.append(said);
  said.textContent = text;
}

function copy(button) {
  const code = button.parentElement.querySelector("code");
  const done = (text) => {
    button.textContent = text;
    say(text);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  const select = () => {
    getSelection().selectAllChildren(code);
    done("Selected");
  };
  if (!navigator.clipboard) { select(); return; }
  navigator.clipboard.writeText(code.textContent).then(() => done("Copied"), select);
}

filter();
follow();
