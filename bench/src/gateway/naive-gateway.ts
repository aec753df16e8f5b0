// What one writes first: Express, the tenant of the key from a map, express-rate-limit by tenant, http-proxy-middleware. No quota, no checksum,
// no token for the service, no table of routes.
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SeededKey } from './tenant-stand-in.ts';

const [, , upstream = '', keysFile = ''] = process.argv;
const tenants = new Map((JSON.parse(readFileSync(keysFile, 'utf8')) as SeededKey[]).map(({ apiKey, tenantId }) => [apiKey, tenantId])); // written by bench/src/gateway.ts

const app = express();
app.use((request, response, next) => {
  const tenantId = tenants.get(request.get('x-api-key') ?? '');
  if (tenantId === undefined) {
    response.sendStatus(401);
    return;
  }
  request.headers['x-tenant-id'] = tenantId;
  next();
});
app.use(rateLimit({ windowMs: 60_000, limit: 10_000_000, keyGenerator: (request) => request.get('x-tenant-id') ?? '', standardHeaders: 'draft-7', legacyHeaders: false, validate: false }));
app.use(createProxyMiddleware({ target: upstream, agent: new Agent({ keepAlive: true, maxSockets: 128 }) }));
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`)); // TCP
server.keepAliveTimeout = 65_000;
