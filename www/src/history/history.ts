// The memory of the tracker: opens it, and answers everything that `History` promises.

import { deleteDB } from "idb";
import { Changes } from "./changes.ts";
import { Database, STORES } from "./database.ts";
import { changeStretch, removeStretches, restore } from "./edits.ts";
import { invalid } from "./problems.ts";
import { readDay, readDays, readMotion, readSearch, readSession, readSpan, readStretch } from "./reads.ts";
import { SessionRecorder } from "./recorder.ts";
import type {
  Day,
  DayTotals,
  History,
  HistoryFiles,
  ImportOptions,
  ImportReport,
  LocalDate,
  Milliseconds,
  MotionLimits,
  Recorder,
  RecorderOptions,
  Session,
  StorageReport,
  Stretch,
} from "./types.ts";
import { forgetMotion, limitsOf, motionBytesOf } from "./writes.ts";

/** The name of the database, and of the channel between tabs. */
const NAME = "sensorllm-tracker";
/** How many stretches a search gives unless it is told. */
const SEARCH_LIMIT = 50;
/** Another tab that does not let go of the deleted database is waited for so long; it is empty already. */
const DELETE_MS = 3000;

export interface OpenOptions {
  /** What reads and writes its files: `filesInWorker` in a page. */
  files: HistoryFiles;
  /** Left out: that of the page. */
  name?: string | undefined;
  /** Deletes what else the page keeps, such as its settings: called by `deleteAll`. */
  onDeleteAll?: (() => void | Promise<void>) | undefined;
  /** The time of day; tests have their own. */
  now?: (() => Milliseconds) | undefined;
}

/** Opens the memory. Rejects with `storage` where the browser keeps nothing. */
export async function openHistory(options: OpenOptions): Promise<History> {
  const database = new Database(options.name ?? NAME);
  await database.open();
  return new StoredHistory(database, options);
}

class StoredHistory implements History {
  readonly #database: Database;
  readonly #options: OpenOptions;
  readonly #changes: Changes;
  readonly #recorders = new Set<SessionRecorder>();
  /** Goes up when everything is deleted: what was removed before cannot come back. */
  #life = 0;

  constructor(database: Database, options: OpenOptions) {
    this.#database = database;
    this.#options = options;
    this.#changes = new Changes(database.name, () => this.#forgetAll());
  }

  async record(options: RecorderOptions): Promise<Recorder> {
    if (options.id !== undefined && (await this.session(options.id))) throw invalid("There is a session of this name already.", "Choose another one.");
    const onStored = () => this.#changes.tell();
    const onEnd = (recorder: SessionRecorder) => this.#recorders.delete(recorder);
    const recorder = new SessionRecorder({ database: this.#database, now: this.#now, onStored, onEnd }, options);
    this.#recorders.add(recorder);
    return recorder;
  }

  day(date: LocalDate): Promise<Day> {
    return readDay(this.#database, date);
  }

  days(from: LocalDate, to: LocalDate): Promise<DayTotals[]> {
    return readDays(this.#database, from, to);
  }

  span(): Promise<{ first: LocalDate; last: LocalDate } | undefined> {
    return readSpan(this.#database);
  }

  search(activity: string, { limit = SEARCH_LIMIT, before = Infinity }: { limit?: number; before?: Milliseconds } = {}): Promise<Stretch[]> {
    return readSearch(this.#database, activity, limit, before);
  }

  stretch(id: string): Promise<Stretch | undefined> {
    return readStretch(this.#database, id);
  }

  session(id: string): Promise<Session | undefined> {
    return readSession(this.#database, id);
  }

  async correct(id: string, activity: string | undefined): Promise<void> {
    await changeStretch(this.#database, id, { corrected: activity?.trim() || undefined });
    this.#changes.tell();
  }

  async note(id: string, text: string): Promise<void> {
    await changeStretch(this.#database, id, { note: text.trim() || undefined });
    this.#changes.tell();
  }

  async remove(ids: readonly string[]): Promise<() => Promise<void>> {
    const removed = await removeStretches(this.#database, ids, [...this.#recorders].map(({ session }) => session.id));
    this.#changes.tell();
    const life = this.#life;
    let undone = false;
    return async () => {
      if (undone || life !== this.#life) return;
      undone = true;
      await restore(this.#database, removed);
      this.#changes.tell();
    };
  }

  async motion(from: Milliseconds, to: Milliseconds, session?: string): ReturnType<History["motion"]> {
    await this.#flush();
    return readMotion(this.#database, from, to, session);
  }

  async report(): Promise<StorageReport> {
    const storage = typeof navigator === "undefined" ? undefined : (navigator.storage as StorageManager | undefined);
    const [estimate, persisted, kept] = await Promise.all([
      storage?.estimate?.().catch(() => undefined),
      storage?.persisted?.().catch(() => false),
      this.#database.read(async (transaction) => ({ limits: await limitsOf(transaction), bytes: await motionBytesOf(transaction) })),
    ]);
    return {
      usedBytes: estimate?.usage,
      quotaBytes: estimate?.quota,
      persisted: persisted ?? false,
      motionDays: kept.limits.days,
      motionBytes: kept.bytes,
      motionBytesLimit: kept.limits.bytes,
    };
  }

  async limitMotion({ days, bytes }: MotionLimits): Promise<void> {
    if (!(days >= 0 && bytes >= 0)) throw invalid("Limits of motion are numbers from 0 on.", "0 keeps no motion.");
    await this.#database.write(async (transaction) => {
      await transaction.objectStore("settings").put({ days, bytes }, "limits");
      await forgetMotion(transaction, this.#now());
    });
    this.#changes.tell();
  }

  async exportJson({ motion = false }: { motion?: boolean } = {}): Promise<Blob> {
    await this.#flush();
    return this.#options.files.json(this.#database.name, motion, this.#now());
  }

  async exportCsv(): Promise<Blob> {
    await this.#flush();
    return this.#options.files.csv(this.#database.name);
  }

  async importFile(file: Blob, options?: ImportOptions): Promise<ImportReport> {
    const report = await this.#options.files.takeIn(this.#database.name, file, this.#now(), options);
    this.#changes.tell();
    return report;
  }

  async deleteAll(): Promise<void> {
    this.#forgetAll();
    this.#changes.tell("deleted");
    // Emptied first: a tab that does not let go of the database may delay its deletion.
    await this.#database.write(async (transaction) => {
      for (const store of STORES) await transaction.objectStore(store).clear();
    });
    await this.#database.release();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, DELETE_MS)));
    await Promise.race([deleteDB(this.#database.name), patience]);
    clearTimeout(timer);
    await this.#options.onDeleteAll?.();
    this.#changes.tell();
  }

  changed(listener: () => void, signal: AbortSignal): void {
    this.#changes.listen(listener, signal);
  }

  close(): void {
    for (const recorder of this.#recorders) recorder.abandon();
    this.#changes.close();
    this.#database.close();
  }

  readonly #now = (): Milliseconds => (this.#options.now ?? Date.now)();

  #forgetAll(): void {
    this.#life += 1;
    for (const recorder of this.#recorders) recorder.abandon();
  }

  /** Stores what recordings hold, so that what is read is of now. Whether that fails is told to whoever records. */
  async #flush(): Promise<void> {
    await Promise.allSettled([...this.#recorders].map((recorder) => recorder.flush()));
  }
}
