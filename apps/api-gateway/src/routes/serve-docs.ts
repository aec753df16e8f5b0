import { hubError } from '@switchboard/contracts';
import type { RawRoute } from '@switchboard/service-kit';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createSecurityHeaders } from '../security-headers.ts';

/** Swagger UI's own files, as its package has them. */
const bundle = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchboard API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

/** The key stays in the page: nothing keeps it beyond its tab, and nobody but this gateway is asked anything. */
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, tryItOutEnabled: true, persistAuthorization: false, validatorUrl: null, docExpansion: 'none', defaultModelsExpandDepth: -1 });
`;

type File = { readonly type: string; readonly read: () => Promise<Buffer> };

const fromBundle = (name: string) => () => readFile(join(bundle, name));
const files: Readonly<Record<string, File>> = {
  '/docs': { type: 'text/html; charset=utf-8', read: async () => Buffer.from(page) },
  '/docs/start.js': { type: 'text/javascript; charset=utf-8', read: async () => Buffer.from(start) },
  '/docs/swagger-ui-bundle.js': { type: 'text/javascript; charset=utf-8', read: fromBundle('swagger-ui-bundle.js') },
  '/docs/swagger-ui.css': { type: 'text/css; charset=utf-8', read: fromBundle('swagger-ui.css') },
  '/docs/favicon-32x32.png': { type: 'image/png', read: fromBundle('favicon-32x32.png') },
};

/** `/docs`: a page to read about the API and try it, with nothing from elsewhere. */
export function serveDocs(): RawRoute[] {
  // The page asks its own host alone. Over plain http in a private network there is no https to upgrade to.
  const secure = createSecurityHeaders({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });
  const packed = new Map<string, Promise<Buffer>>();
  const packedOf = (path: string, file: File) => {
    const known = packed.get(path) ?? file.read().then((text) => promisify(gzip)(text));
    packed.set(path, known);
    return known;
  };
  return (['GET', 'HEAD'] as const).map((method) => ({
    method,
    pattern: /^\/docs(?:\/[\w.-]+)?$/,
    name: '/docs',
    async handle({ headers }, response, { input: path = '' }) {
      const file = Object.hasOwn(files, path) ? files[path] : undefined;
      if (file === undefined) throw hubError('route.not_found');
      const isPacked = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
      const body = isPacked ? await packedOf(path, file) : await file.read();
      secure(response);
      response
        .writeHead(200, { 'content-type': file.type, 'content-length': body.length, vary: 'Accept-Encoding', 'cache-control': 'public, max-age=3600', ...(isPacked ? { 'content-encoding': 'gzip' } : {}) })
        .end(body);
    },
  }));
}
