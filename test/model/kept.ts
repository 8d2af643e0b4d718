import type { Schedule } from './schedule.js';

/** Schedules that have broken a promise once, as small as they could be made. */
export const KEPT: readonly { readonly about: string; readonly schedule: Schedule }[] = [
  {
    about: 'a drain is seen in a cycle that gets no list, while starts wait for their turn',
    schedule: {
      seed: 1,
      ending: 'active',
      steps: [
        {
          do: 'fault',
          method: 'createPilot',
          skip: 0,
          times: 200,
          fate: { executeMs: 2_000, replyMs: 0, error: undefined },
        },
        { do: 'tick', ms: 1_000 },
        {
          do: 'fault',
          method: 'listPilots',
          skip: 0,
          times: 200,
          fate: { executeMs: undefined, replyMs: 0, error: 'unreachable' },
        },
        { do: 'mode', mode: 'drain' },
        { do: 'tick', ms: 10_000 },
      ],
    },
  },
];
