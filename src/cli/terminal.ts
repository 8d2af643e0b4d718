/** A terminal that is ours for a while: keys come one by one, and nothing is echoed. */
export interface Terminal {
  write(text: string): void;
  size(): { readonly columns: number; readonly rows: number };
  /** Gives it back as it was. */
  close(): void;
}

/** Undefined where there is none, or one that cannot be drawn on. */
export function openTerminal(onKey: (key: string) => void): Terminal | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY || process.env['TERM'] === 'dumb') return undefined;
  const listen = (bytes: Buffer) => {
    onKey(bytes.toString());
  };
  stdin.setRawMode(true);
  stdin.on('data', listen);
  return {
    write: (text) => {
      stdout.write(text);
    },
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    close: () => {
      stdin.off('data', listen);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
