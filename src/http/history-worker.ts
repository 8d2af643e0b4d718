import { parentPort, workerData } from 'node:worker_threads';
import { readHistory } from './history.js';
import type { HistoryTask } from './history-reader.js';

// A thread of its own: a day of journal is much to parse for one that must not be late, and much memory to keep afterwards.
const { folder, nowMs } = workerData as HistoryTask;
parentPort?.postMessage(JSON.stringify(await readHistory(folder, nowMs)));
