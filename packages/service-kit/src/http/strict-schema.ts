import { z } from 'zod';

/**
 * The same schema with every object in it closed: a field it does not name is an issue instead of being dropped silently. Objects that say
 * for themselves what else they take (`looseObject`, `catchall`) stay as they are.
 */
export function strictSchema(schema: z.ZodType): z.ZodType {
  return strict(schema, new Map());
}

function strict(schema: z.ZodType, seen: Map<z.ZodType, z.ZodType>): z.ZodType {
  const known = seen.get(schema);
  if (known !== undefined) return known;
  const made = rebuild(schema, seen);
  seen.set(schema, made);
  return made;
}

/** zod's definitions type what is inside as core types; schemas made with the classic API, and only those are used here, are ZodTypes. */
function rebuild(schema: z.ZodType, seen: Map<z.ZodType, z.ZodType>): z.ZodType {
  const inside = (type: unknown) => strict(type as z.ZodType, seen);
  const all = (types: readonly unknown[]) => types.map(inside);
  if (schema instanceof z.ZodObject) {
    const shape = Object.fromEntries(Object.entries(schema.shape).map(([key, type]) => [key, inside(type)]));
    return clone(schema, { ...schema.def, shape, catchall: schema.def.catchall ?? z.never() });
  }
  if (schema instanceof z.ZodArray) return clone(schema, { ...schema.def, element: inside(schema.def.element) });
  if (schema instanceof z.ZodUnion) return clone(schema, { ...schema.def, options: all(schema.def.options) });
  if (schema instanceof z.ZodTuple) return clone(schema, { ...schema.def, items: all(schema.def.items), rest: schema.def.rest === null ? null : inside(schema.def.rest) });
  if (schema instanceof z.ZodRecord) return clone(schema, { ...schema.def, valueType: inside(schema.def.valueType) });
  if (schema instanceof z.ZodPipe) return clone(schema, { ...schema.def, in: inside(schema.def.in), out: inside(schema.def.out) });
  if (schema instanceof z.ZodLazy) {
    const { getter } = schema.def;
    return clone(schema, { ...schema.def, getter: () => inside(getter()) });
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodReadonly || schema instanceof z.ZodCatch) {
    return clone(schema, { ...schema.def, innerType: inside(schema.def.innerType) });
  }
  return schema;
}

function clone(schema: z.ZodType, definition: object): z.ZodType {
  // The definition is the schema's own but for what is inside, so it fits its constructor.
  return z.core.clone(schema, definition as z.core.$ZodTypeDef as never) as z.ZodType;
}
