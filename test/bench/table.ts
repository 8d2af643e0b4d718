export type Cell = string | number;

/** One table in Markdown, aligned; figures with as many digits as they deserve. */
export function toTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = head.map((_, column) => Math.max(3, ...[head, ...texts].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...texts].map(line).join('\n');
}

/** `-` is what could not be measured. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return '-';
  return Number.isInteger(cell) || Math.abs(cell) >= 1000
    ? String(Math.round(cell))
    : String(Number(cell.toPrecision(3)));
}
