// The program in the worker, which comes in two files: the first names activities on the CPU, the second has words and WebGPU.

import { unlessAborted } from "./abort.ts";
import { SensorLLMError } from "./errors.ts";
import { answered, fetchOk, interrupted } from "./model.ts";

/** What the glue of wasm-bindgen has for it. */
export interface Glue {
  /** What both parts import from JavaScript. */
  programImports(): WebAssembly.Imports;
  /** Makes the first part the one that all classes compute with. */
  useProgram(instance: WebAssembly.Instance, module: WebAssembly.Module): void;
}

/** Where the two parts are. */
export interface ProgramFiles {
  wasmUrl: string;
  wordsWasmUrl: string;
}

/** Both parts, compiled. The second is left out until it is there. */
export interface CompiledProgram {
  first: WebAssembly.Module;
  words?: WebAssembly.Module | undefined;
}

/** The program's second part, as those see it who wait for it. */
export interface WordsPart {
  /** Resolves when the second part can be used. An abort ends the waiting only: others may wait for the same download. */
  words(signal: AbortSignal): Promise<void>;
  /** Resolves with the second part once it was downloaded and compiled; never rejects. */
  readonly compiledWords: Promise<WebAssembly.Module>;
}

/** The one program of a worker. */
export class Program implements WordsPart {
  readonly compiledWords: Promise<WebAssembly.Module>;
  #tellCompiled: (words: WebAssembly.Module) => void = () => {};
  readonly #glue: Glue;
  #wordsUrl = "";
  #started: Promise<WebAssembly.Module> | undefined;
  #primary: WebAssembly.Exports | undefined;
  #compiling: Promise<WebAssembly.Module> | undefined;
  #words: WebAssembly.Module | undefined;
  #inPlace = false;

  constructor(glue: Glue) {
    this.#glue = glue;
    this.compiledWords = new Promise((resolve) => (this.#tellCompiled = resolve));
  }

  /** Starts the first part, compiled while it downloads, once. What was `compiled` before is not fetched again. */
  async start(files: ProgramFiles, signal: AbortSignal, compiled?: CompiledProgram): Promise<WebAssembly.Module> {
    this.#wordsUrl = files.wordsWasmUrl;
    if (compiled?.words) this.#compiled(compiled.words);
    this.#started ??= this.#start(files.wasmUrl, signal, compiled?.first);
    const started = this.#started;
    try {
      return await started;
    } catch (error) {
      if (this.#started === started) this.#started = undefined;
      throw error;
    }
  }

  async words(signal: AbortSignal): Promise<void> {
    if (this.#inPlace) return;
    const [words] = await unlessAborted(Promise.all([this.#compileWords(), this.#started]), signal);
    this.#putInPlace(words);
  }

  /** Puts the second part in place while nothing waits for it. What fails is tried again when it is needed. */
  prefetchWords(): void {
    Promise.all([this.#compileWords({ priority: "low" }), this.#started]).then(([words]) => this.#putInPlace(words)).catch(() => {});
  }

  async #start(url: string, signal: AbortSignal, compiled: WebAssembly.Module | undefined): Promise<WebAssembly.Module> {
    const first = compiled ?? (await compile(url, signal));
    const instance = await WebAssembly.instantiate(first, { ...this.#glue.programImports(), deferred: this.#placeholders() }).catch((cause: unknown) => {
      throw notTheProgram(url, cause);
    });
    this.#primary = instance.exports;
    this.#glue.useProgram(instance, first);
    return first;
  }

  async #compileWords(init: RequestInit = {}): Promise<WebAssembly.Module> {
    if (this.#words) return this.#words;
    // Whoever waits may give up, the download goes on: it is needed again soon.
    this.#compiling ??= compile(this.#wordsUrl, new AbortController().signal, init).finally(() => (this.#compiling = undefined));
    return this.#compiled(await this.#compiling);
  }

  #compiled(words: WebAssembly.Module): WebAssembly.Module {
    this.#words ??= words;
    this.#tellCompiled(this.#words);
    return this.#words;
  }

  /** Instantiates the second part, which puts its functions where the first looks for them. In one go, so that it happens once. */
  #putInPlace(words: WebAssembly.Module): void {
    if (this.#inPlace) return;
    try {
      new WebAssembly.Instance(words, { ...this.#glue.programImports(), primary: this.#primary as WebAssembly.Exports });
    } catch (cause) {
      // Another version's, perhaps: the next attempt fetches it again.
      this.#words = undefined;
      throw notTheProgram(this.#wordsUrl, cause);
    }
    this.#inPlace = true;
  }

  /**
   * What the first part calls in place of the second's functions, by their index in the table. Everything that needs many of them waits
   * for `words()` before; a function that is called regardless must return at once, so its part is loaded while everything waits.
   */
  #placeholders(): WebAssembly.ModuleImports {
    const placeholder =
      (index: number) =>
      (...parameters: unknown[]): unknown => {
        if (!this.#inPlace) this.#putInPlace(this.#words ?? this.#compiled(compileNow(this.#wordsUrl)));
        return (this.#primary?.deferred_table as WebAssembly.Table).get(index)(...parameters);
      };
    return new Proxy({}, { get: (_, index) => placeholder(Number(index)) });
  }
}

/** Compiles a part of the program while it downloads. */
async function compile(url: string, signal: AbortSignal, init?: RequestInit): Promise<WebAssembly.Module> {
  const response = await fetchOk(url, signal, globalThis.fetch.bind(globalThis), init);
  try {
    // Servers that do not know the type are put up with; the browser then compiles only what has arrived whole.
    const streams = response.headers.get("Content-Type")?.startsWith("application/wasm");
    return streams ? await WebAssembly.compileStreaming(response) : await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw notTheProgram(url, cause);
  }
}

/** Downloads and compiles a part of the program while the worker waits. */
function compileNow(url: string): WebAssembly.Module {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  try {
    request.send();
  } catch (cause) {
    throw interrupted(url, cause);
  }
  if (request.status < 200 || request.status > 299) throw answered(url, request);
  try {
    return new WebAssembly.Module(request.response as ArrayBuffer);
  } catch (cause) {
    throw notTheProgram(url, cause);
  }
}

function notTheProgram(url: string, cause: unknown): SensorLLMError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const hint = "Check that sensorllm_bg.wasm and sensorllm_words.wasm of this version are served, whole, and that each address is the right one's.";
  return new SensorLLMError("download", `${url} is not the program: ${why}.`, hint, { cause });
}
