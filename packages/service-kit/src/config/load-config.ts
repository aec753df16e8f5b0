import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { StartRefusal } from '../service/start-refusal.ts';
import { variablesOf, type Variable } from './variables-of.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a service's variables: the field `publicWebhookUrl` is the variable `PUBLIC_WEBHOOK_URL`, a secret may lie in the file named by
 * `<NAME>_FILE` instead. An empty variable counts as not set. Throws StartRefusal with one sentence for each variable that is missing or
 * wrong; values are never repeated.
 */
export function loadConfig<Schema extends z.ZodObject>(schema: Schema, environment: Environment): z.output<Schema> {
  const variables = variablesOf(schema);
  const faults: string[] = [];
  const given: Record<string, string> = {};
  for (const variable of variables) {
    try {
      const value = read(variable, environment);
      if (value !== undefined) given[variable.field] = value;
    } catch (error) {
      faults.push((error as Error).message); // read throws nothing but StartRefusal
    }
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const variable = variables.find(({ field }) => field === issue.path[0]);
      if (variable === undefined) faults.push(`The configuration is not valid: ${issue.message}.`);
      else if (given[variable.field] !== undefined) faults.push(`${variable.name} is not valid: ${plain(issue.message)}.`);
      // A file that cannot be read has its sentence already.
      else if (!faults.some((fault) => fault.startsWith(`${variable.name}_FILE `))) faults.push(missing(variable));
    }
  }
  if (faults.length > 0) throw new StartRefusal(faults.join('\n'));
  return parsed.data as z.output<Schema>; // no fault: parsing succeeded
}

/** The environment of this operating-system process: the only reader of `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}

function read(variable: Variable, environment: Environment): string | undefined {
  const value = environment[variable.name];
  if (value !== undefined && value !== '') return value;
  const file = variable.secret ? environment[`${variable.name}_FILE`] : undefined;
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new StartRefusal(`${variable.name}_FILE names a file that cannot be read.`);
  }
}

function missing(variable: Variable): string {
  return `${variable.name} is missing: ${plain(variable.description)}${variable.secret ? `, or ${variable.name}_FILE with the path of a file that holds it` : ''}.`;
}

function plain(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
