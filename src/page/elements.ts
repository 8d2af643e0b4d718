type Child = Node | string;

/** An element of the page that is known to be there. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** A new element. What is shown may come from anywhere, so that it is put in as text, never as HTML. */
export function make(tag: string, className: string, ...children: readonly Child[]): HTMLElement {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}

/** Does nothing where nothing changed: screen readers would say it again. */
export function setText(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Numbers are shown to the right. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): HTMLElement {
  const head = make('tr', '', ...heads.map((text) => make('th', '', text)));
  const body = rows.map((cells) => make('tr', '', ...cells.map(toCell)));
  return make('table', 'plain', make('thead', '', head), make('tbody', '', ...body));
}

function toCell(value: string | number): HTMLElement {
  return typeof value === 'number' ? make('td', 'number', value.toFixed(1)) : make('td', '', value);
}

/** What was put there last, by place: what has not changed is left alone, with what a reader has selected or folded open there. */
const shown = new Map<string, string>();

/** `key`: all that is shown there. */
export function fill(id: string, key: unknown, create: () => readonly Node[]): void {
  const text = JSON.stringify(key);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  byId(id).replaceChildren(...create());
}
