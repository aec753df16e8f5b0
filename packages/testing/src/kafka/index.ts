export { kafkaMissing } from './kafka-jars.ts';
export { type KafkaOptions, type RunningKafka, startKafka } from './start-kafka.ts';
export { startKafkaForTests, stopKafkaForTests } from './start-kafka-for-tests.ts';
