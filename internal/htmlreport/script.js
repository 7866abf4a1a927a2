"use strict";
// The rows are plain data: whatever names hold goes into text nodes only.
(() => {
  const data = document.getElementById("data");
  if (!data) return;
  const rows = JSON.parse(data.textContent);
  const at = (id) => document.getElementById(id);
  const controls = { search: at("search"), class: at("class"), pcr: at("pcr"), attested: at("attested"), size: at("size") };
  for (const row of rows) row.text = [row.entry, row.path, row.digest, row.why, row.class].join("\n").toLowerCase();

  const count = (of) => {
    const counts = new Map();
    for (const row of rows) for (const key of of(row)) counts.set(key, (counts.get(key) || 0) + 1);
    return counts;
  };
  const offer = (select, counts, order) => {
    for (const [value, n] of [...counts].sort(order)) select.add(new Option(`${value} (${n})`, value));
  };
  offer(controls.class, count((row) => [row.class]), (a, b) => a[1] - b[1]);
  offer(controls.pcr, count((row) => row.pcrs), (a, b) => a[0] - b[0]);

  let found = rows;
  let page = 0;

  const element = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };

  const line = (row) => {
    const tr = element("tr");
    const kind = element("td");
    kind.append(element("span", "tag " + row.tone, row.class));
    if (!row.attested && row.pcrs.length) kind.append(" ", element("span", "tag", "unattested"));
    const file = element("td", "path", row.path);
    if (row.digest) file.append(element("div", "hex", row.digest));
    tr.append(element("td", "number", row.entry), element("td", "number", row.pcrs.join(", ")), kind, file, element("td", "why", row.why));
    return tr;
  };

  const show = () => {
    const size = Number(controls.size.value);
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(page, pages - 1);
    const part = found.slice(page * size, (page + 1) * size);
    at("rows").replaceChildren(...part.map(line));
    const range = part.length ? `${page * size + 1} to ${page * size + part.length} of ` : "";
    at("shown").textContent = `Showing ${range}${found.length} entries` + (found === rows ? "" : `; ${rows.length} without filters`);
    at("page").textContent = `Page ${page + 1} of ${pages}`;
    at("previous").disabled = page === 0;
    at("next").disabled = page === pages - 1;
    at("pager").hidden = pages === 1;
  };

  const filter = () => {
    const words = controls.search.value.toLowerCase().split(" ").filter(Boolean);
    const { class: kind, pcr, attested } = controls;
    const all = !words.length && !kind.value && !pcr.value && !attested.value;
    found = all ? rows : rows.filter((row) =>
      (!kind.value || row.class === kind.value) &&
      (!pcr.value || row.pcrs.includes(Number(pcr.value))) &&
      (!attested.value || row.attested === (attested.value === "yes")) &&
      words.every((word) => row.text.includes(word)));
    page = 0;
    show();
  };

  const turn = (by) => { page += by; show(); at("shown").scrollIntoView({ block: "nearest" }); };
  for (const control of Object.values(controls)) control.addEventListener("input", filter);
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("controls").hidden = at("table").hidden = false;
  // What is folded on the screen is there on paper.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const d of folded) d.open = true;
  });
  window.addEventListener("afterprint", () => { for (const d of folded) d.open = false; });
  filter();
})();
