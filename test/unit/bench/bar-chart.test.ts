import { describe, expect, it } from 'vitest';
import { toBarChart } from '../../bench/bar-chart.js';

function barsOf(svg: string) {
  return [...svg.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*fill="([^"]+)"/g)].map(([, length, fill]) => ({
    length: Number(length),
    fill,
  }));
}

describe('a bar chart', () => {
  const svg = toBarChart({
    title: 'Seconds & more',
    unit: 's',
    bars: [
      { label: 'others', value: 2, ours: false },
      { label: 'nobody', value: NaN, ours: false },
      { label: 'ours', value: 0.5, ours: true },
    ],
  });

  it('has bars as long as the figures are large', () => {
    const [others, nobody, ours] = barsOf(svg);
    expect((ours?.length ?? NaN) / (others?.length ?? NaN)).toBeCloseTo(0.25);
    expect(nobody?.length).toBe(0);
  });

  it('shows ours in a colour of its own', () => {
    const [others, nobody, ours] = barsOf(svg);
    expect(nobody?.fill).toBe(others?.fill);
    expect(ours?.fill).not.toBe(others?.fill);
  });

  it('tells every figure, and that one is missing', () => {
    expect(svg).toContain('>2 s<');
    expect(svg).toContain('>0.5 s<');
    expect(svg).toContain('>- s<');
  });

  it('is well-formed whatever the words are', () => {
    expect(svg).toContain('<title>Seconds &amp; more</title>');
  });
});
