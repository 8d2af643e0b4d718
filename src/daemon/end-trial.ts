import type { ConfigKeeper, InForce } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { Probation } from '../decision.js';
import type { DaemonEvent } from '../report/event.js';
import { newsEvents } from './config-news.js';

/** Has the keeper act on what the pilots of `tried` have shown; resolves with what is to be told. Rejects only on a bug. */
export async function endTrial(
  keeper: ConfigKeeper<Config>,
  tried: InForce<Config>,
  { verdict, text, failed, judged }: Probation,
  nowWallMs: number,
): Promise<readonly DaemonEvent[]> {
  const revision = tried.revision.id;
  if (verdict === 'proven') {
    await keeper.prove(tried);
    return [{ type: 'config-proven', revision }];
  }
  const news = await keeper.condemn(tried, text);
  if (news.type !== 'accepted') return newsEvents(news, revision);
  const inForce = news.inForce.revision.id;
  const problems = news.refused?.problems ?? [text];
  return [{ type: 'config-rolled-back', revision, inForce, problems, failed, judged, atWallMs: nowWallMs }];
}
