/** The service's name in Postgres: schema, roles, bus (`state-manager` → `state`, `webhook-ingest` → `ingest`). */
export function shortName(service: string): string {
  // Named after its job, not its source: the one name the rule does not give.
  if (service === 'webhook-ingest') return 'ingest';
  return service.replace(/-(?:service|manager|connector)$/, '').replaceAll('-', '_');
}
