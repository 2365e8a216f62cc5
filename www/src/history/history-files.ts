// Writes the history's files and takes them in. Takes seconds for a year of days: a page has it done in its worker.

import { Database } from "./database.ts";
import { writeCsv } from "./export-csv.ts";
import { writeJson } from "./export-json.ts";
import { readExport } from "./read-export.ts";
import { storeContent } from "./store-content.ts";
import type { HistoryFiles, ImportOptions, ImportReport, Milliseconds } from "./types.ts";

export interface TakeInOptions extends ImportOptions {
  /** Waited for after the file is checked and before anything is stored. */
  onChecked?: (() => Promise<void>) | undefined;
}

/** Done here, in the thread that asks. */
export const filesHere = {
  json: (name, motion, now) => connected(name, (database) => writeJson(database, motion, now)),
  csv: (name) => connected(name, writeCsv),
  async takeIn(name: string, file: Blob, now: Milliseconds, { onProgress, onChecked, signal }: TakeInOptions = {}): Promise<ImportReport> {
    const content = await readExport(file, (fraction) => onProgress?.({ fraction, storing: false }));
    await onChecked?.();
    const onStored = (fraction: number) => onProgress?.({ fraction, storing: true });
    return connected(name, (database) => storeContent(database, content, now, { onStored, signal }));
  },
} satisfies HistoryFiles;

/** Does something with a connection of its own to a database. */
async function connected<T>(name: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = new Database(name);
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
