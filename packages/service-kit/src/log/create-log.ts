import { currentTrace, peekScope } from '@switchboard/tenant-context';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';
import { redact, redactText } from './redact.ts';

/**
 * JSON lines on standard output. Service, tenant, request id and trace come from the context of the caller; secrets are taken out by the
 * names of fields and by their form.
 */
export function createLog(options: { readonly service: string; readonly level: Level | 'silent'; readonly destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => {
        const scope = peekScope();
        const trace = currentTrace();
        return {
          ...(scope?.kind === 'tenant' ? { tenant: scope.tenantId } : {}),
          ...(trace === undefined ? {} : { requestId: trace.requestId, ...(trace.traceparent === undefined ? {} : { traceparent: trace.traceparent }) }),
        };
      },
      formatters: {
        level: (label) => ({ level: label }),
        log: redact,
      },
      // The error is a plain object by then: formatters run before serializers.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod(args, method) {
          // The message may be the first or the second argument; both are texts that may quote a URL or a header.
          const clean = args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg));
          method.apply(this, clean as typeof args);
        },
      },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
}
