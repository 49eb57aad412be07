import assert from "node:assert/strict";
import type { Kafka, Message, PartitionerArgs } from "kafkajs";
import { BatchSender } from "../../../../../consumer/kafka/producers/batch_sender.ts";

/** A kafkajs that confirms only the partitions that the test says, send by send, with all that it was asked to send. */
function kafka(confirms: readonly (readonly number[])[]) {
  const sends: Message[][] = [];
  const client = {
    producer: ({ createPartitioner }: { createPartitioner: () => (args: PartitionerArgs) => number }) => {
      const choose = createPartitioner();
      return {
        send: ({ topic, messages }: { topic: string; messages: Message[] }) => {
          const partitionMetadata = [0, 1, 2].map((partitionId) => ({ partitionId, leader: 1 }));
          // As kafkajs does at every retry.
          for (let retry = 0; retry < 3; retry++) {
            for (const message of messages) choose({ topic, partitionMetadata, message } as never);
          }
          const confirmed = confirms[sends.length] ?? [];
          sends.push(messages);
          return Promise.resolve(confirmed.map((partition) => ({ topicName: topic, partition })));
        },
      };
    },
  };
  return { sender: new BatchSender(client as unknown as Kafka), sends };
}

const at = (partition: number, value: string): Message => ({ partition, value });

Deno.test("BatchSender.send() sends again what lies in a partition that nobody confirmed, and nothing else", async () => {
  const { sender, sends } = kafka([[0, 2], [1]]);
  await sender.send("t", [at(0, "a"), at(1, "b"), at(2, "c"), at(1, "d")]);
  assert.deepEqual(sends.map((each) => each.map(({ value }) => value)), [["a", "b", "c", "d"], ["b", "d"]]);
});

Deno.test("BatchSender.send() keeps a record without a key in the partition that it was given first", async () => {
  const { sender, sends } = kafka([[0, 1, 2]]);
  await sender.send("t", Array.from({ length: 50 }, (_, n) => ({ value: String(n) })));
  assert.equal(sends.length, 1);
});

Deno.test("BatchSender.send() gives up when nothing of it is ever confirmed", async () => {
  await assert.rejects(kafka([]).sender.send("t", [at(0, "a")]), /1 records were not confirmed/);
});
