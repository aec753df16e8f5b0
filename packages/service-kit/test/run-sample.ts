import { runService } from '../src/index.ts';
import { sampleService } from './sample-service.ts';

/** A program for run-service.int.test.ts: the sample service as a process, with ways to break it. */
await runService(
  sampleService({
    rawRoutes: [
      {
        method: 'POST',
        pattern: /^\/break\/(\w+)$/,
        handle: (_, response, match) => {
          response.end();
          setTimeout(() => {
            if (match[1] === 'rejection') void Promise.reject(new Error('nobody caught this'));
            else throw new Error('nobody caught this');
          }, 5);
        },
      },
      { method: 'GET', pattern: /^\/slow$/, handle: (_, response) => void setTimeout(() => response.end('finished'), 300) },
    ],
  }),
);
