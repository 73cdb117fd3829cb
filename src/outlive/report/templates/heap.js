let form = "treemap";
const place = document.getElementById("dominators");

function size(bytes) {
  const digits = { maximumFractionDigits: 1 };
  return bytes < 1048576
    ? `${bytes.toLocaleString("en")} bytes`
    : `${(bytes / 1048576).toLocaleString("en", digits)} MiB`;
}

function draw() {
  const { names, held, origins, parents, values, shallow } = data.dominators;
  const words = names.map((name, at) =>
    [name, held[at]].filter(Boolean).map(plain).join("<br>") +
    `<br><b>${size(values[at])}</b> retained` + (shallow[at] ? `, ${size(shallow[at])} of its own` : ""));
  Plotly.react(place, [{
    type: form,
    ids: names.map((_, at) => String(at)),
    labels: names.map(plain),
    parents: parents.map((parent) => (parent < 0 ? "" : String(parent))),
    values, branchvalues: "total",
    tiling: form === "icicle" ? { orientation: "v", flip: "", pad: 1 } : { pad: 2 },
    maxdepth: 8,
    pathbar: { thickness: 24 },
    leaf: { opacity: 1 },
    marker: { colors: origins.map(colour), line: { width: 1, color: colour("card") } },
    textfont: { color: colour("on-frame") },
    text: words,
    textinfo: "label",
    hovertemplate: "%{text}<br>%{percentRoot:.1%} of all<extra></extra>",
  }], layout({ margin: { l: 0, r: 0, t: 30, b: 0 }, uniformtext: { minsize: 10, mode: "hide" } }), config);
}

if (place) {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const buttons = [...document.querySelectorAll(".choice button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      form = button.dataset.form;
      for (const each of buttons) each.setAttribute("aria-pressed", each === button);
      Plotly.purge(place);
      draw();
    });
  }
}
