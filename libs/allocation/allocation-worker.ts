import { parentPort } from 'node:worker_threads';
import { allocateAlone } from './allocate.js';
import type { Handed } from './handed-problem.js';
import { assembled } from './handed-problem.js';

const port = parentPort;
if (port === null) throw new Error('this is the thread of an allocation: solveInWorker starts it');

const pieces: Handed[] = [];

port.on('message', (piece: Handed) => {
  pieces.push(piece);
  if (piece.kind !== 'whole') return;
  void allocateAlone(assembled(pieces), piece.solver, (finding) => port.postMessage(finding)).then(() => port.close());
});
