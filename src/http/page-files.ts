import { readFile } from 'node:fs/promises';

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const SCRIPTS = [
  'main',
  'chart-parts',
  'charts',
  'control',
  'cpu-chart',
  'day-data',
  'elements',
  'lanes',
  'life-chart',
  'lines-view',
  'link',
  'server',
  'status-view',
  'texts',
];

/** Everything that the page consists of, as it lies beside this code; nothing comes from elsewhere. */
const FILES = new Map([
  ['/', { file: 'page/index.html', contentType: 'text/html; charset=utf-8' }],
  ['/page/icon.svg', { file: 'page/icon.svg', contentType: 'image/svg+xml' }],
  ...['uplot', 'style'].map((name) => [`/page/${name}.css`, { file: `page/${name}.css`, contentType: STYLE }] as const),
  ...['page/uplot', ...SCRIPTS.map((name) => `page/${name}`), 'report/status-words'].map(
    (name) => [`/${name}.js`, { file: `${name}.js`, contentType: SCRIPT }] as const,
  ),
]);

export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Undefined: there is no such file. Rejects with the error of the system. */
export async function readPageFile(path: string): Promise<PageFile | undefined> {
  const known = FILES.get(path);
  if (known === undefined) return undefined;
  const body = await readFile(new URL(`../${known.file}`, import.meta.url));
  return { contentType: known.contentType, body };
}
