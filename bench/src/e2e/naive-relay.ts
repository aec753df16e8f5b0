// What one writes first: Express takes the webhook, kafkajs sends it, eachMessage with its defaults fetches the other provider. Nothing is
// verified, stored, deduplicated or tried again. Arguments: brokers, and { phone number id: { url, token } } as JSON.
import express from 'express';
import { Kafka, logLevel } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';

type WhatsAppBody = { entry: { changes: { value: { metadata: { phone_number_id: string }; messages: { id: string; from: string; timestamp: string; text: { body: string } }[] } }[] }[] };

const [brokers = '', targetsJson = '{}'] = process.argv.slice(2);
const targets = JSON.parse(targetsJson) as Record<string, { url: string; token: string }>; // given by relay.ts
const topic = `naive-${randomUUID()}`;
const kafka = new Kafka({ clientId: 'naive', brokers: [brokers], logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 12 }], waitForLeaders: true });
await admin.disconnect();

const consumer = kafka.consumer({ groupId: topic });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
await consumer.run({
  eachMessage: async ({ message }) => {
    const { value } = (JSON.parse(String(message.value)) as WhatsAppBody).entry[0]?.changes[0] ?? {};
    for (const { id, from, timestamp, text } of value?.messages ?? []) {
      const target = targets[value?.metadata.phone_number_id ?? ''];
      const answer = await fetch(target?.url ?? '', {
        method: 'POST',
        headers: { authorization: `Bearer ${target?.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ channel: { messageId: id, from: { id: from, idType: 'Opaque' }, time: new Date(Number(timestamp) * 1000).toISOString() }, text: text.body }),
      });
      await answer.arrayBuffer();
    }
  },
});
await joined;
const producer = kafka.producer();
await producer.connect();

const app = express();
app.post('/webhooks/whatsapp', express.json(), async (request, response) => {
  await producer.send({ topic, messages: [{ value: JSON.stringify(request.body) }] });
  response.sendStatus(200);
});
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`)); // TCP
