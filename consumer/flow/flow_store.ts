// FlowStore: the port to where the group keeps what operators set.

/** Settings as text, and how many changes there were before. */
export interface StoredFlow {
  readonly version: number;
  readonly text: string;
}

/** What is kept now. */
export interface ReadFlow {
  /** Undefined where nothing was ever set. */
  readonly newest: StoredFlow | undefined;
  /** Whether it is kept with every topic: it goes when a topic is deleted. */
  readonly complete: boolean;
}

/** Keeps the settings for the whole group. Who writes last wins. */
export interface FlowStore {
  /** @throws what Kafka said where it could not be asked. */
  read(topics: readonly string[]): Promise<ReadFlow>;
  /** Resolves when Kafka has it. @throws {TooMuchToKeep} @throws what Kafka said. */
  write(topics: readonly string[], stored: StoredFlow): Promise<void>;
  close(): Promise<void>;
}
