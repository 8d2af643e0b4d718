import { it } from 'vitest';
import { runShare, TIMEOUT_MS } from './run-share.js';

it('keeps every promise through schedules of odd seeds', () => runShare(1), TIMEOUT_MS);
