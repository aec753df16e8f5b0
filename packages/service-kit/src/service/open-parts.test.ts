import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { kitConfigSchema } from '../config/kit-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { kafkaOptionsOf } from './open-parts.ts';

const needed = { INTERNAL_TOKEN_SECRET: 'x'.repeat(32), KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092' };

describe('the topics that a service makes', () => {
  it('lie on as many brokers as the environment says, on one by default', () => {
    expect(kafkaOptionsOf(loadConfig(kitConfigSchema, { ...needed, KAFKA_REPLICATION_FACTOR: '3' }))).toEqual({ brokers: ['kafka-1:9092', 'kafka-2:9092'], replicationFactor: 3 });
    expect(kafkaOptionsOf(loadConfig(kitConfigSchema, needed)).replicationFactor).toBe(1);
  });

  it('lie on three brokers in the production overlay: one broker lost loses nothing', () => {
    const overlay = readFileSync(new URL('../../../../k8s/overlays/production/kustomization.yaml', import.meta.url), 'utf8');
    expect(overlay).toContain('KAFKA_REPLICATION_FACTOR: "3"');
  });
});
