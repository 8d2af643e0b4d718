import type { ShownState } from '../report/shown.js';
import { byId, setText } from './elements.js';
import { wish } from './server.js';

/** Kept by this page alone, until it is closed or left. */
function token(): string {
  return (byId('token') as HTMLInputElement).value;
}

async function ask(what: 'drain' | 'resume'): Promise<void> {
  try {
    await wish(what, token());
    setText('asked', what === 'drain' ? 'asked to drain' : 'asked to resume');
  } catch (error) {
    setText('asked', error instanceof Error ? error.message : String(error));
  }
}

/** The buttons with which something can be changed, where that is possible at all. */
export function showControl({ control }: ShownState): void {
  byId('control').hidden = control === 'no';
  byId('token-label').hidden = control === 'yes';
}

/** Somebody else may answer at this address by now. */
export function forgetToken(): void {
  (byId('token') as HTMLInputElement).value = '';
}

export function armControl(): void {
  byId('control').addEventListener('submit', (event) => {
    event.preventDefault();
  });
  for (const what of ['drain', 'resume'] as const) {
    byId(what).addEventListener('click', () => {
      void ask(what);
    });
  }
}
