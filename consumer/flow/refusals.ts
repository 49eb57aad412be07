// Why an operator's change of the flow is not made.

/** The group does not read such a topic or partition. */
export class NotRead extends Error {
  override readonly name = "NotRead";
}

/** Kafka did not take it: it would hold for this consumer alone, and only until it ends. */
export class NotKept extends Error {
  override readonly name = "NotKept";
}

/** Kafka keeps no more of it. */
export class TooMuchToKeep extends Error {
  override readonly name = "TooMuchToKeep";
}
