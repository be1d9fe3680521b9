/** Most bytes of the JSON of what is recorded in one event. */
export const MOST_PIECE_BYTES = 256 * 1024;
/** Room for what stands around the items. */
const ROOM = 1024;

/**
 * A list in pieces that fit in an event each, in their order; one item alone may be larger.
 * @param beside bytes that stand in every event beside the items
 */
export const inPieces = <Item extends object>(items: readonly Item[], beside = 0): Item[][] => {
  const pieces: Item[][] = [];
  let piece: Item[] = [];
  let bytes = ROOM + beside;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (piece.length > 0 && bytes + size > MOST_PIECE_BYTES) {
      pieces.push(piece);
      piece = [];
      bytes = ROOM + beside;
    }
    piece.push(item);
    bytes += size;
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
};
