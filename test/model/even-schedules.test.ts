import { it } from 'vitest';
import { runShare, TIMEOUT_MS } from './run-share.js';

it('keeps every promise through schedules of even seeds', () => runShare(0), TIMEOUT_MS);
