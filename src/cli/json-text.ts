import { withoutControls } from '../config/source-line.js';

/** Controls that JSON leaves as they are, and that terminals obey or editors take for ends of lines. Its own ends of lines stay. */
const CONTROLS = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Data for programs, on a terminal too: what strangers wrote is in it. `indent`: for people who look at it. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(CONTROLS, withoutControls);
}
