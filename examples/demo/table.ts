/** Prints rows under a header, each column as wide as its widest cell. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => clip(row[column]).length)));
  const line = (cells: readonly string[]) =>
    `  ${cells
      .map((cell, column) => clip(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}`;
  console.log(line(header));
  console.log(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) console.log(line(row));
}

/** One line of at most 60 characters. */
const clip = (cell = '') => {
  const flat = cell.replaceAll(/\s+/g, ' ');
  return flat.length <= 60 ? flat : `${flat.slice(0, 59)}…`;
};
