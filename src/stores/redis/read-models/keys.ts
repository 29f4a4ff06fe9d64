/**
 * The keys of read models in Redis, and nothing else knows them.
 *
 *   read-model:balances@1                  hash   key of a row → JSON text; `''` → the checkpoint's cursor
 *   {read-model:balances@1}:checkpoint     hash   cursor, token
 *
 * The braces are literal: the hash tag that puts both into one slot of a Redis Cluster.
 */

export function rowsKey(table: string): string {
  return `read-model:${table}`;
}

export function checkpointKey(table: string): string {
  return `{read-model:${table}}:checkpoint`;
}
