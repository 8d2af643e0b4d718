import { describe, expect, it } from 'vitest';
import { cases, everyNth } from '../../faults/cases.js';
import { endpoints } from '../../faults/endpoints.js';

describe('the cases of the fault matrix', () => {
  it('are many, and each is another', () => {
    expect(cases.length).toBeGreaterThan(400);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it('are for every request both before and after the engine has done it', () => {
    for (const endpoint of endpoints) {
      const faults = cases.filter((tried) => tried.endpoint === endpoint).map(({ fault }) => fault.forward);
      expect(faults.filter((forward) => !forward).length).toBeGreaterThan(15);
      expect(faults.filter((forward) => forward).length).toBeGreaterThan(20);
    }
  });

  it.each([30, 40])('have every request among each %sth of them', (step) => {
    const share = everyNth(step);
    expect(new Set(share.map(({ endpoint }) => endpoint.name)).size).toBe(endpoints.length);
    expect(new Set(share.map(({ faultName }) => faultName)).size).toBeGreaterThan(10);
  });
});
