import type { ConfigKeeper } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { State } from '../plan/state.js';
import type { Narrowed } from '../policy/narrow.js';

/** Who knows what this host refuses. */
interface Judges {
  readonly keeper: Pick<ConfigKeeper<Config>, 'distrust'>;
  readonly narrow: (config: Config) => Promise<Narrowed>;
}

/**
 * The state without what pilots were last started from, if this host has come to refuse that: they would be started from it for as long as the
 * image in force is not here. It is given up for good, since nobody looks at its signature again. `now`: what is in force.
 */
export async function vouchForLastUsed(state: State, now: Narrowed, { keeper, narrow }: Judges): Promise<State> {
  const { lastUsed } = state.image;
  // Where nothing may be started anyhow nothing is used, and a slip in the policy should not cost it.
  if (lastUsed === undefined || now.refusals.length > 0) return state;
  // It is not gone back to then, see planImage.
  if (lastUsed.config.docker_image === now.config.docker_image) return state;
  const { config, refusals } = await narrow(lastUsed.config);
  const isRefused = refusals.length > 0 || (await keeper.distrust(lastUsed.revision)) !== undefined;
  return { ...state, image: { ...state.image, lastUsed: isRefused ? undefined : { ...lastUsed, config } } };
}
