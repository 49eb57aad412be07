// Troubles with brokers, planted by killing real ones.

import type { Trouble } from "../trouble.ts";
import { BAD, type ClusterStage } from "./cluster_stage.ts";

function away(name: string, brokers: readonly number[], named: RegExp): Trouble<ClusterStage> {
  return {
    name,
    named,
    begin: ({ cluster }) => Promise.all(brokers.map((id) => cluster.node(id).kill())),
    end: ({ cluster }) => Promise.all(brokers.map((id) => cluster.node(id).restart())),
  };
}

const LETTERS_AWAY = away("the dead-letter topic has no leader", [2], /dead-letter-topic-unavailable: /);

/** In this order: what is left of one does not hide the next. */
export const CLUSTER_TROUBLES: readonly Trouble<ClusterStage>[] = [
  {
    ...LETTERS_AWAY,
    begin: async (stage) => {
      await LETTERS_AWAY.begin(stage);
      const { kafka, topic } = stage.scene;
      await kafka.produce(topic, [{ value: BAD, partition: 0 }]);
    },
  },
  away("the broker that leads the topic is away", [1], /^(partitions-unreadable|kafka-unavailable): /),
  away("all brokers are away", [1, 2], /^kafka-unavailable: /),
];
