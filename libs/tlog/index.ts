export { canonicalForm, parseCanonical } from './canonical-json.js';
export type { Checkpoint } from './checkpoint.js';
export {
  checkpointText,
  cosign,
  openCheckpoint,
  parseCheckpoint,
  parseCheckpointText,
  signCheckpoint,
} from './checkpoint.js';
export { textIn } from './encoding.js';
export type { TreeNodes } from './merkle.js';
export { CompactRange, EMPTY_ROOT, leafHash, nodeHash, rootOf, subtreesOf } from './merkle.js';
export type { Note, NoteSignature, SignatureKind, Verified } from './note.js';
export { formatNote, NoteSigner, openNote, parseNote, signatureLine, VerifierKey } from './note.js';
export type { LeafEntry, Opening } from './opening.js';
export { entryHashOf, leafEntry, openingBytes, parseLeafEntry } from './opening.js';
export type { ProofFile } from './proof-file.js';
export { formatProofFile, parseProofFile, verifyProofFile } from './proof-file.js';
export { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proofs.js';
export { TlogRefusal } from './refusal.js';
export type { Tile, TileName, TileReader } from './tiles.js';
export {
  entryBundle,
  grownTiles,
  nodesOf,
  parseEntryBundle,
  parseTilePath,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from './tiles.js';
export type { AddCheckpoint } from './witness.js';
export { formatAddCheckpoint, parseAddCheckpoint } from './witness.js';
