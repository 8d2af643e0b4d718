import { cellText } from './table.js';

/** Horizontal bars: one figure for each contender. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly ours: boolean }[];
}

const width = 720;
const labelWidth = 300;
const valueWidth = 90;
const barHeight = 18;
const rowHeight = 28;
const top = 40;
// Middle tones on no background: they can be read on white and on black alike.
const colours = { text: '#768390', others: '#9aa4af', ours: '#2f81f7' };

/** The chart as SVG. What could not be measured has no bar and a dash for a figure. */
export function toBarChart({ title, unit, bars }: BarChart): string {
  const most = Math.max(...bars.map(({ value }) => value).filter(Number.isFinite), Number.MIN_VALUE);
  const height = top + bars.length * rowHeight;
  const rows = bars.map(({ label, value, ours }, index) => {
    const y = top + index * rowHeight;
    const length = Number.isFinite(value) ? (value / most) * (width - labelWidth - valueWidth) : 0;
    const middle = y + barHeight / 2 + 4;
    return [
      `<text x="${labelWidth - 8}" y="${middle}" text-anchor="end"${ours ? ' font-weight="bold"' : ''}>${escape(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2" fill="${ours ? colours.ours : colours.others}"/>`,
      `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${middle}">${escape(`${cellText(value)} ${unit}`.trim())}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13" fill="${colours.text}">
<title>${escape(title)}</title>
<text x="8" y="20" font-size="15" font-weight="bold">${escape(title)}</text>
${rows.join('\n')}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
