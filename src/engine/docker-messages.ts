import { StringDecoder } from 'node:string_decoder';
import { EngineError } from './container-engine.js';

const longestLine = 1024 * 1024;

/**
 * The messages of a stream that the engine does not end at once: one JSON object a line, in pieces as the network brings them. Rejects
 * with `malformed` on anything else, a line without end included, and with the stream's own error when it is cut.
 */
export async function* readMessages(stream: NodeJS.ReadableStream): AsyncGenerator<object, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new EngineError('malformed', 'The container engine sent a line without end');
    for (const line of lines) if (line.trim() !== '') yield parseMessage(line);
  }
  if (rest.trim() !== '') yield parseMessage(rest);
}

function parseMessage(line: string): object {
  try {
    const message: unknown = JSON.parse(line);
    if (typeof message === 'object' && message !== null) return message;
  } catch {
    // Said below: a message that is no object is no better.
  }
  throw new EngineError('malformed', `The container engine sent something strange: ${line.slice(0, 100)}`);
}
