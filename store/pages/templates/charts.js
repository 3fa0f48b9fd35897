// Draws the charts of a page from its own data; the colours are the page's, so they follow its theme.
(function () {
  "use strict";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const PAINTS = ["--accent", "--greedy", "--corrected", "--spot"];
  const STEP = 0.2; // of what is seen, a key's move
  const shown = new Map(); // figure -> {view, plot, alongLog, upLog, turn}

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function columnsOf(bins, name, below) {
    const counts = bins.counts[name];
    const bottom = counts.map((_, place) => below[place]);
    return {
      left: bins.edges.slice(0, -1), right: bins.edges.slice(1), count: counts, series: counts.map(() => name),
      bottom: bottom, top: counts.map((count, place) => bottom[place] + count),
    };
  }

  // On a logarithmic axis nothing stands on anything else: the columns lie before each other.
  function addBins(plot, bins, upLog) {
    let below = bins.edges.slice(1).map(() => upLog ? 0.5 : 0);
    const several = Object.keys(bins.counts).length > 1;
    Object.keys(bins.counts).forEach((name, number) => {
      const data = columnsOf(bins, name, below);
      if (upLog) data.top = data.count.map(count => Math.max(count, 0.5));
      else below = data.top;
      const paint = colour(PAINTS[number % PAINTS.length]);
      plot.quad({
        left: { field: "left" }, right: { field: "right" }, top: { field: "top" }, bottom: { field: "bottom" },
        source: new Bokeh.ColumnDataSource({ data: data }), fill_color: paint, line_color: colour("--card"),
        line_width: 0.5, fill_alpha: upLog && several ? 0.6 : 1, ...(several ? { legend_label: name } : {}),
      });
    });
    return [["from", "@left{0,0.[00]}"], ["to", "@right{0,0.[00]}"], ["count", "@count{0,0}"]]
      .concat(several ? [["in", "@series"]] : []);
  }

  function addBars(plot, chart, upLog) {
    const series = Object.keys(chart.bars);
    let below = chart.names.map(() => upLog ? 0.5 : 0);
    series.forEach((name, number) => {
      const values = chart.bars[name];
      const tops = values.map((value, place) => upLog ? Math.max(value, 0.5) : below[place] + value);
      const data = { name: chart.names, value: values, series: values.map(() => name), bottom: below, top: tops };
      if (!upLog) below = tops;
      plot.vbar({
        x: { field: "name" }, top: { field: "top" }, bottom: { field: "bottom" }, width: 0.8,
        source: new Bokeh.ColumnDataSource({ data: data }), fill_color: colour(PAINTS[number % PAINTS.length]),
        line_color: null, fill_alpha: upLog && series.length > 1 ? 0.6 : 1,
        ...(series.length > 1 ? { legend_label: name } : {}),
      });
    });
    return [[chart.along, "@name"], [chart.up, "@value{0,0.[00]}"]].concat(series.length > 1 ? [["of", "@series"]] : []);
  }

  function paint(plot) {
    const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line"), card = colour("--card");
    Object.assign(plot, { background_fill_color: card, border_fill_color: card, outline_line_color: null });
    for (const axis of [...plot.xaxis, ...plot.yaxis]) {
      Object.assign(axis, {
        axis_label_text_color: soft, axis_label_text_font_style: "normal", major_label_text_color: ink,
        axis_line_color: line, major_tick_line_color: line, minor_tick_line_color: null,
      });
    }
    for (const grid of [...plot.xgrid, ...plot.ygrid]) grid.grid_line_color = line;
    for (const grid of plot.xgrid) grid.visible = false;
  }

  function paintLegend(legend) {
    Object.assign(legend, {
      orientation: "horizontal", background_fill_color: null, border_line_color: null, label_text_color: colour("--ink"),
      label_text_font_size: "12px", click_policy: "hide", padding: 0, margin: 2, label_height: 14, glyph_height: 14,
    });
  }

  async function draw(figure) {
    const chart = charts[Number(figure.dataset.chart)], state = shown.get(figure), room = figure.querySelector(".drawn");
    const bins = state.alongLog ? chart.log_bins : chart.bins;
    const plot = Bokeh.Plotting.figure({
      height: 230, sizing_mode: "stretch_width", tools: "pan,box_zoom,wheel_zoom,reset", toolbar_location: "above",
      x_axis_label: chart.along, y_axis_label: chart.up, y_axis_type: state.upLog ? "log" : "linear",
      ...(chart.bars ? { x_range: chart.names } : { x_axis_type: state.alongLog ? "log" : "linear" }),
    });
    plot.toolbar.logo = null;
    plot.toolbar.autohide = true;
    plot.add_layout(new Bokeh.Legend(), "above");
    const tips = chart.bars ? addBars(plot, chart, state.upLog) : addBins(plot, bins, state.upLog);
    plot.add_tools(new Bokeh.HoverTool({ tooltips: tips }));
    if (chart.bars && chart.names.length > 8 && chart.names.some(name => name.length > 2))
      for (const axis of plot.xaxis) axis.major_label_orientation = "vertical";
    paint(plot);
    if (Object.keys(chart.bars || bins.counts).length > 1) paintLegend(plot.legend);
    if (!state.upLog) plot.y_range.start = 0;
    if (state.view) {
      Bokeh.documents.splice(Bokeh.documents.indexOf(state.plot.document), 1);
      state.view.remove();
    }
    room.replaceChildren();
    state.plot = plot;
    state.view = await Bokeh.Plotting.show(plot, room);
    figure.dataset.scales = [plot.x_scale, plot.y_scale].map(scale => scale.type).join(" ");
  }

  // One drawing of a figure after the other, however fast the buttons are pressed.
  function drawNext(figure) {
    const state = shown.get(figure);
    state.turn = state.turn.then(() => draw(figure));
    return state.turn;
  }

  function move(figure, event) {
    const range = shown.get(figure).plot.x_range, log = shown.get(figure).alongLog;
    const to = log ? Math.log : value => value, back = log ? Math.exp : value => value;
    const start = to(range.start), end = to(range.end), wide = end - start;
    const by = { ArrowLeft: [-STEP, -STEP], ArrowRight: [STEP, STEP], "+": [STEP, -STEP], "-": [-STEP, STEP] }[event.key];
    if (event.key === "0") drawNext(figure);
    else if (by) { range.start = back(start + by[0] * wide); range.end = back(end + by[1] * wide); }
    else return;
    event.preventDefault();
  }

  function button(figure, key, label) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = label;
    made.setAttribute("aria-pressed", "false");
    made.addEventListener("click", () => {
      const state = shown.get(figure);
      state[key] = !state[key];
      made.setAttribute("aria-pressed", String(state[key]));
      drawNext(figure);
    });
    figure.querySelector(".turn").append(made);
  }

  function drawAll() { return Promise.all([...shown.keys()].map(drawNext)); }

  Bokeh.set_log_level("error");
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const chart = charts[Number(figure.dataset.chart)];
    if (!chart.bins && !chart.bars) continue;
    shown.set(figure, { alongLog: false, upLog: false, turn: Promise.resolve() });
    if (chart.log_bins) button(figure, "alongLog", "log " + chart.along);
    button(figure, "upLog", "log " + chart.up);
    const room = figure.querySelector(".drawn");
    room.hidden = false;
    room.addEventListener("keydown", event => move(figure, event));
  }
  new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll().then(() => { document.documentElement.dataset.charts = "drawn"; });
})();
