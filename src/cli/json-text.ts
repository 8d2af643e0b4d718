/** Controls that JSON leaves as they are, and that terminals obey or editors take for ends of lines. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** Data for programs, on a terminal too: what strangers wrote is in it. `indent`: for people who look at it. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(CONTROLS, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
