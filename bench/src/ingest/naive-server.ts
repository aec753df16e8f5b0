// What one writes first: Express, its JSON parser, one kafkajs send a request with acks=all. No verification, no deduplication, no tenant.
import express from 'express';
import { Kafka, logLevel } from 'kafkajs';
import type { AddressInfo } from 'node:net';

const kafka = new Kafka({ clientId: 'naive', brokers: [process.argv[2] ?? ''], logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: 'naive', numPartitions: 12 }] });
await admin.disconnect();
const producer = kafka.producer();
await producer.connect();

const app = express();
app.post('/webhooks/whatsapp', express.json({ limit: '4mb' }), async (request, response) => {
  await producer.send({ topic: 'naive', acks: -1, messages: [{ value: JSON.stringify(request.body) }] });
  response.sendStatus(200);
});
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`)); // TCP
