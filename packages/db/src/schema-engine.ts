import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { bindMigrationAwareSqlAdapterFactory, type ErrorCapturingSqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as Engine from '@prisma/schema-engine-wasm';
import { Pool } from 'pg';
import { engineAdapter } from './engine-adapter.ts';

export type SchemaEngine = Engine.SchemaEngine;

/** All of a schema: nothing is left out of a diff. */
export const everything = { externalTables: [], externalEnums: [] };

export type EngineConnection = {
  readonly url: string;
  readonly schema: string;
  /** Role to act as: owns what migrations make. */
  readonly role: string;
};

/** Runs `work` with Prisma's own schema engine, the one on npm as WebAssembly: the other one has to be downloaded. */
export async function withSchemaEngine<T>(connection: EngineConnection, work: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  const { SchemaEngine } = await loadEngine();
  const pool = new Pool({ connectionString: connection.url, max: 4, options: `-c role=${connection.role} -c search_path=${connection.schema}` });
  pool.on('error', () => undefined);
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(engineAdapter(pool, connection.schema));
    const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', 'datasource db {\n  provider = "postgresql"\n}\n']] }, () => undefined, factory);
    try {
      return await work(engine);
    } catch (error) {
      throw withReason(error, factory);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** The engine answers "External error id#0" and keeps what Postgres said in a register. */
function withReason(error: unknown, { errorRegistry }: ErrorCapturingSqlMigrationAwareDriverAdapterFactory): unknown {
  const id = /External error id#(\d+)/.exec(String(error))?.[1];
  return id === undefined ? error : (errorRegistry.consumeError(Number(id))?.error ?? error);
}

/** What is used of the global of that name; its types come with the DOM's, which have no place here. */
declare const WebAssembly: { instantiate(bytes: Uint8Array, imports: Record<string, unknown>): Promise<{ instance: { exports: Record<string, unknown> } }> };

type EngineModule = typeof Engine & { __wbg_set_wasm(exports: Record<string, unknown>): void };
let loaded: Promise<EngineModule> | undefined;

function loadEngine(): Promise<EngineModule> {
  loaded ??= (async () => {
    // The cast is safe: the package's main module is typed, and this is the same module before its WebAssembly part is put in.
    const module = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as unknown as EngineModule;
    const wasm = readFileSync(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm'));
    const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': withQuietTimers(module) });
    module.__wbg_set_wasm(instance.exports);
    // What a panic of the engine says goes here; without it the panic is a TypeError about this very global.
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: (message: string) => { throw new Error(`Prisma's schema engine: ${message}`); } } });
    // The cast is safe: wasm-bindgen exports this start function always.
    (instance.exports['__wbindgen_start'] as () => void)();
    return module;
  })();
  return loaded;
}

/** The engine leaves a timer of 10 s behind (its wait for a lock it has long got): it must not keep a finished program alive. */
function withQuietTimers(module: EngineModule): Record<string, unknown> {
  const imports: Record<string, unknown> = { ...module };
  const name = Object.keys(imports).find((key) => key.startsWith('__wbg_setTimeout_'));
  if (name !== undefined) imports[name] = (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds >>> 0).unref();
  return imports;
}
