/** The bus's promises as a suite (`describeBus`). For tests only. */
export { countLaggingPartitions } from './count-lagging-partitions.ts';
export { describeBus } from './describe-bus.ts';
export { installTestBus, testService, type BusPlace, type BusUnderTest } from './bus-under-test.ts';
