import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';

/** What uploading and reading a document may be refused with. */
export const DOCUMENT_PROBLEMS = registerProblems({
  'offset-mismatch': { status: 409, title: 'The chunk does not start where the upload stands' },
  'upload-busy': { status: 409, title: 'Another chunk of this upload is being written' },
  'too-many-uploads': { status: 409, title: 'Too many files of this party are on their way' },
  'hash-mismatch': { status: 409, title: 'The bytes have another hash than declared' },
  'range-not-satisfiable': { status: 416, title: 'The document has no such bytes' },
} satisfies Record<string, ProblemInfo>);
