// The page's side of text generation: the public class, over a worker of its own.

import { absolute, closed, Connection, modelUrls, streamed, warn, type Locations } from "./client.ts";
import type { Request } from "./protocol.ts";
import { rememberedDevices } from "./remembered-devices.ts";
import { askToPersist } from "./store/persist.ts";
import type { DescribeOptions, GenerateEvent, GenerateOptions, LoadTextOptions, Prompt, TextModelInfo } from "./text-types.ts";
import type { ModelFiles, Samples } from "./types.ts";

/** Starts a worker and loads a language model in it. */
export async function connectText(
  locations: Omit<Locations, "model">,
  model: string | URL | ModelFiles,
  options: LoadTextOptions,
): Promise<{ connection: Connection; info: TextModelInfo }> {
  options.signal?.throwIfAborted();
  const connection = new Connection(locations.worker());
  try {
    const { answer } = connection.request<"load-text">(
      {
        kind: "load-text",
        ...modelUrls(model),
        wasmUrl: absolute(options.wasmUrl ?? locations.wasm),
        wordsWasmUrl: absolute(options.wordsWasmUrl ?? locations.wordsWasm),
        device: options.device ?? "auto",
        remembered: rememberedDevices(),
        warmUp: options.warmUp ?? true,
        store: options.store ?? "auto",
      },
      {
        signal: options.signal,
        onNotice: (notice) => {
          if (notice.kind === "text-progress") options.onProgress?.(notice.progress);
          else if (notice.kind === "warning") warn(notice.warning, options.onWarning);
        },
      },
    );
    const info = await answer;
    if (info.stored && info.downloadedBytes > 0) void askToPersist();
    return { connection, info };
  } catch (error) {
    // Ends the worker, and with it all memory that loading took.
    connection.close(closed());
    throw error;
  }
}

/** A loaded language model. Computes one generation at a time; further ones wait for their turn. */
export class TextModel implements AsyncDisposable {
  /** What was loaded and where it computes. */
  readonly info: TextModelInfo;
  readonly #connection: Connection;

  /** @internal Use `loadTextModel`. */
  constructor({ connection, info }: { connection: Connection; info: TextModelInfo }) {
    this.#connection = connection;
    this.info = info;
  }

  /**
   * Continues a text or token ids, or answers a conversation, token by token.
   *
   *     for await (const { text } of model.generate("Once upon a time")) output.textContent += text;
   *
   * The last event says why generation ended and what it took. Fails with `prompt` if the prompt does not fit the model,
   * or with the signal's reason once that aborts. Leaving the loop ends generation too.
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): AsyncIterableIterator<GenerateEvent> {
    const { signal, ...rest } = options;
    return this.#events({ kind: "generate", prompt, options: rest }, signal);
  }

  /** Tells in the model's words what a recording shows, or answers `options.question` about it. Events as of `generate`. */
  describe(samples: Samples, options: DescribeOptions = {}): AsyncIterableIterator<GenerateEvent> {
    const { signal, ...rest } = options;
    return this.#events({ kind: "describe", samples, options: rest }, signal);
  }

  /** Token ids of a text, without the special tokens that a prompt may get. */
  async tokenize(text: string): Promise<Uint32Array> {
    return this.#connection.request<"tokenize">({ kind: "tokenize", text }).answer;
  }

  /** Ends the worker and frees the model. Generations in progress fail with the code `closed`. */
  async close(): Promise<void> {
    await this.#connection.shutDown(closed());
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #events(
    message: Omit<Extract<Request, { kind: "generate" }>, "id"> | Omit<Extract<Request, { kind: "describe" }>, "id">,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<GenerateEvent> {
    return streamed<"generate" | "describe", GenerateEvent>(this.#connection, message, signal, (notice) =>
      notice.kind === "generated" ? notice.event : undefined,
    );
  }
}
