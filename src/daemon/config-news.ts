import type { KeeperNews, Refusal } from '../config/keeper.js';
import type { Config } from '../config/schema.js';
import type { DaemonEvent } from '../report/event.js';

/** What a look at the source of the configuration came to, as events. `kept`: the revision in force, if there is one. */
export function newsEvents(news: KeeperNews<Config>, kept: string | undefined): readonly DaemonEvent[] {
  switch (news.type) {
    case 'accepted': {
      const { revision, warnings } = news.inForce;
      const accepted: DaemonEvent = { type: 'config-accepted', revision: revision.id, warnings };
      return news.refused === undefined ? [accepted] : [refusal(news.refused, revision.id), accepted];
    }
    case 'refused':
      return [refusal(news.refused, kept)];
    case 'unreachable':
      return [{ type: 'config-unreachable', message: news.message }];
    case 'unchanged':
      return [];
  }
}

function refusal(refused: Refusal, kept: string | undefined): DaemonEvent {
  return { type: 'config-refused', revision: refused.revisionId, problems: refused.problems, kept };
}
