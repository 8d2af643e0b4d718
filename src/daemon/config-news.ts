import type { KeeperNews } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { DaemonEvent } from '../report/event.js';

/** What a look at the source of the configuration came to, as events. */
export function newsEvents(news: KeeperNews<Config>): readonly DaemonEvent[] {
  switch (news.type) {
    case 'accepted': {
      const { revision, warnings } = news.inForce;
      const accepted: DaemonEvent = { type: 'config-accepted', revision: revision.id, warnings };
      return news.refused === undefined ? [accepted] : [refusal(news.refused), accepted];
    }
    case 'refused':
      return [refusal(news.refused)];
    case 'unreachable':
      return [{ type: 'config-unreachable', message: news.message }];
    case 'unchanged':
      return [];
  }
}

function refusal(refused: { readonly revisionId: string; readonly problems: readonly string[] }): DaemonEvent {
  return { type: 'config-refused', revision: refused.revisionId, problems: refused.problems };
}
