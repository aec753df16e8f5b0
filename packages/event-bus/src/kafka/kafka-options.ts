/** Where Kafka is and how the topics are kept there. */
export type KafkaOptions = {
  readonly brokers: readonly string[];
  /** Before each topic and group name: lets several installations (or test files) use one cluster. Default: nothing. */
  readonly prefix?: string;
  /** Of topics that are made. Default 1; 3 in production, where a write then needs two replicas. */
  readonly replicationFactor?: number;
};
