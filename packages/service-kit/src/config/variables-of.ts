import { z } from 'zod';

/** One environment variable of a service; docs/env.md is generated from these. */
export type Variable = {
  /** In the config object: `publicWebhookUrl`. */
  readonly field: string;
  /** In the environment: `PUBLIC_WEBHOOK_URL`. */
  readonly name: string;
  readonly description: string;
  readonly secret: boolean;
  readonly required: boolean;
  /** As text; undefined when there is none or it is a secret. */
  readonly defaultValue: string | undefined;
};

/** The variables that a config schema stands for. Throws on a field without a description: nobody could set it knowingly. */
export function variablesOf(schema: z.ZodObject): Variable[] {
  return Object.entries(schema.shape).map(([field, type]) => {
    const facts = factsOf(type as z.ZodType); // an object's shape holds schemas
    if (facts.description === undefined) throw new Error(`config field ${field} needs .describe(…)`);
    return {
      field,
      name: nameOf(field),
      description: facts.description,
      secret: facts.secret,
      required: !(type as z.ZodType).safeParse(undefined).success,
      defaultValue: facts.secret ? undefined : facts.defaultValue,
    };
  });
}

function nameOf(field: string): string {
  return /^[A-Z0-9_]+$/.test(field) ? field : field.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

type Facts = { description: string | undefined; secret: boolean; defaultValue: string | undefined };

/** Looks through `.optional()`, `.default()`, `.transform()` for what was said of the schema inside. */
function factsOf(type: z.ZodType): Facts {
  const meta = type.meta();
  const inner = innerOf(type);
  const below: Facts = inner === undefined ? { description: undefined, secret: false, defaultValue: undefined } : factsOf(inner);
  return {
    description: meta?.description ?? below.description,
    secret: meta?.['secret'] === true || below.secret,
    defaultValue: type instanceof z.ZodDefault ? String(type.def.defaultValue) : below.defaultValue,
  };
}

function innerOf(type: z.ZodType): z.ZodType | undefined {
  // zod types what is inside as its core type; every schema made with the classic API is a ZodType.
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional || type instanceof z.ZodNullable || type instanceof z.ZodPrefault) return type.def.innerType as z.ZodType;
  if (type instanceof z.ZodPipe) return type.def.in as z.ZodType;
  return undefined;
}
