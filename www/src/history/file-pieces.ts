// Loads files piece by piece, so that how far that is can be told.

/** What is loaded at once. */
const PIECE_BYTES = 1 << 18;

export async function* pieces(file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += PIECE_BYTES) yield new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
}

/** A file as `Blob.text` gives it; `onLoaded` is told the bytes of each piece. */
export async function loadText(file: Blob, onLoaded: (bytes: number) => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of pieces(file)) {
    text += decoder.decode(piece, { stream: true });
    onLoaded(piece.length);
  }
  return text + decoder.decode();
}
