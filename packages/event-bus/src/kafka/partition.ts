/**
 * Partition of a record: a slice of neighbouring partitions belongs to each tenant, and in it the ordering key chooses. So one tenant's flood
 * cannot take the whole topic, one conversation stays in order, and small tenants are spread. Depends on nothing but its arguments:
 * every process, now and after an upgrade, must answer the same.
 */
export function partitionOf(tenantId: string, orderingKey: string, partitions: number): number {
  const first = hash(tenantId) % partitions;
  return (first + (hash(`${tenantId}\n${orderingKey}`) % sliceOf(partitions))) % partitions;
}

/** How many partitions one tenant uses: a third, so that a flooding tenant leaves two thirds of a topic untouched. */
export function sliceOf(partitions: number): number {
  return Math.max(1, Math.round(partitions / 3));
}

/** FNV-1a over UTF-16 units with murmur3's final mix: FNV alone leaves the low bits of similar ids alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
