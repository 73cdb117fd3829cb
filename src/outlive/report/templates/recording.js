function drawTimeline(place) {
  const { time, peak, rss, uss, python, malloc } = data.timeline;
  const mebibytes = (sizes) => sizes.map((size) => (size === null ? null : size / 1048576));
  const line = (name, sizes, look) => ({
    name, x: time, y: mebibytes(sizes), mode: time.length > 1 ? "lines" : "markers",
    hovertemplate: "%{y:,.1f} MiB", ...look,
  });
  const traces = [
    line("RSS, peak", peak, { line: { color: colour("band"), width: 1.5 } }),
    line("RSS", rss, { line: { color: colour("accent"), width: 2 } }),
    line("USS", uss, { line: { color: colour("faint"), width: 1.5, dash: "dot" } }),
    line("malloc in use", malloc, { line: { color: colour("installed"), width: 1.5 } }),
    line("Python in use", python, { line: { color: colour("own"), width: 2 } }),
  ].filter((trace) => trace.y.some((size) => size !== null));
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false };
  Plotly.react(place, traces, layout({
    margin: { l: 70, r: 8, t: 8, b: 36 },
    hovermode: "x unified",
    legend: { orientation: "h", y: 1.12 },
    xaxis: { ...axis, type: "date" },
    yaxis: { ...axis, ticksuffix: " MiB", rangemode: "tozero" },
  }), config);
}

function drawFlame(place) {
  const { names, places, sources, origins, spreads, parents, values } = data.flame;
  const depths = [];
  parents.forEach((parent) => depths.push(parent < 0 ? 1 : depths[parent] + 1));
  const deepest = depths.reduce((one, other) => Math.max(one, other), 1);
  const height = 26 * deepest + 34;
  place.style.height = `${height}px`;
  const words = names.map((name, at) =>
    [name, places[at], sources[at]].filter(Boolean).map(plain).join("<br>") + `<br><b>${plain(spreads[at])}</b>`);
  Plotly.react(place, [{
    type: "icicle",
    ids: names.map((_, at) => String(at)),
    labels: names.map(plain),
    parents: parents.map((parent) => (parent < 0 ? "" : String(parent))),
    values, branchvalues: "total", sort: false,
    tiling: { orientation: "v", flip: "", pad: 1 },
    pathbar: { thickness: 24 },
    leaf: { opacity: 1 },
    marker: { colors: origins.map(colour), line: { width: 0 } },
    textfont: { color: colour("on-frame") },
    textposition: "middle left",
    text: words,
    textinfo: "label",
    hovertemplate: "%{text}<br>%{percentRoot:.1%} of all<extra></extra>",
  }], layout({ margin: { l: 0, r: 0, t: 30, b: 0 }, height, uniformtext: { minsize: 11, mode: "hide" } }), config);
}

function draw() {
  for (const [name, drawn] of [["timeline", drawTimeline], ["flame", drawFlame]]) {
    const place = document.getElementById(name);
    if (place) drawn(place);
  }
}

function makeSortable(table) {
  const body = table.tBodies[0];
  for (const button of table.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const heading = button.parentElement;
      const column = heading.cellIndex;
      const key = (row) => row.cells[column].dataset.sort;
      const isText = heading === heading.parentElement.lastElementChild;
      const first = isText ? "ascending" : "descending";
      const other = isText ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? other : first;
      for (const each of heading.parentElement.cells) each.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", order);
      const compare = isText ? (a, b) => key(a).localeCompare(key(b)) : (a, b) => key(a) - key(b);
      const sign = order === "ascending" ? 1 : -1;
      body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
    });
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
const sites = document.getElementById("sites");
if (sites) makeSortable(sites);
