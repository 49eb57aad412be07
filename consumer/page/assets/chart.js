// The last hour in one picture: records arriving and settled a second, records to do, the age of the oldest.

// A package, served under this name: the type check of the server looks for no file of it.
const { default: uPlot } = await import(new URL("uplot.js", import.meta.url).href);

const EVERY_MS = 5000;
const HEIGHT = 260;

/** A canvas knows no `light-dark()`: an element resolves it. */
function colour(name) {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function options(width) {
  const axis = (scale, label, side = 3) => ({
    scale,
    side,
    label,
    labelSize: 18,
    size: 52,
    stroke: colour("--text"),
    grid: { stroke: colour("--line"), width: 1, show: scale === "rate" },
    ticks: { stroke: colour("--line") },
  });
  const series = (label, scale, name, dash) => ({
    label,
    scale,
    stroke: colour(name),
    width: 2,
    dash,
    spanGaps: false,
  });
  return {
    width,
    height: HEIGHT,
    series: [
      {},
      series("arriving / s", "rate", "--arriving", [6, 4]),
      series("settled / s", "rate", "--settled"),
      series("to do", "count", "--todo"),
      series("oldest, s", "age", "--age", [2, 3]),
    ],
    scales: { rate: { range: fromZero }, count: { range: fromZero }, age: { range: fromZero } },
    axes: [
      {
        stroke: colour("--text"),
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { stroke: colour("--line") },
      },
      axis("rate", "records / s"),
      axis("count", "to do", 1),
      axis("age", "oldest, s", 1),
    ],
    legend: { live: false },
    padding: [8, 8, 0, 0],
  };
}

const fromZero = (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)];

/** Draws it, and draws it again as time goes on, the window changes or it gets dark. */
export async function drawHour(place, empty) {
  let plot;
  const renew = async (anew = false) => {
    if (document.hidden && !anew) return;
    const answer = await fetch(place.dataset.chart).catch(() => undefined);
    if (answer === undefined || !answer.ok) return;
    const hour = await answer.json();
    empty.hidden = hour.time.length > 1;
    if (hour.time.length < 2) return;
    const columns = [hour.time, hour.arrived, hour.settled, hour.backlog, hour.oldest_age_s];
    if (plot !== undefined && !anew) return plot.setData(columns);
    plot?.destroy();
    plot = new uPlot(options(place.clientWidth), columns, place);
  };
  addEventListener("resize", () => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => renew(true));
  setInterval(renew, EVERY_MS);
  await renew();
}
