// A second that is pointed at in one plot is read out in all of them, from the table of seconds.
{
  const rows = [...document.querySelectorAll("table.seconds tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent));
  const plots = [...document.querySelectorAll("figure[data-end]")].map((figure) => {
    const values = [...figure.querySelectorAll("[data-column]")].map((output) => ({ output, summary: output.textContent }));
    return { chart: figure.querySelector(".chart"), cursor: figure.querySelector(".cursor"), end: Number(figure.dataset.end), values };
  });
  const number = (text) => Number(text.replaceAll(",", ""));
  const show = (row, end) => {
    for (const { cursor, values } of plots) {
      const at = row && `${(number(row[0]) / end) * 100}%`;
      if (cursor) cursor.classList.toggle("shown", Boolean(row));
      if (cursor && row) for (const side of ["x1", "x2"]) cursor.setAttribute(side, at);
      for (const { output, summary } of values) output.textContent = row ? `${row[0]} s: ${row[output.dataset.column]}` : summary;
    }
  };
  for (const { chart, end } of plots) {
    chart.addEventListener("pointermove", (event) => {
      const { left, width } = chart.getBoundingClientRect();
      const at = ((event.clientX - left) / width) * end;
      const row = rows.find(([time]) => number(time) >= at);
      show(row, end);
    });
    chart.addEventListener("pointerleave", () => show(undefined, end));
  }
}
