/** `17:04:09`, in the time zone of the reader. */
export function clockText(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hourCycle: 'h23' });
}

/** `17:04` */
export function minuteText(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hourCycle: 'h23', hour: '2-digit', minute: '2-digit' });
}

/** `1 pilot`, `2 pilots` */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
