import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The top of this source tree, from the sources and from `dist` alike. */
export const treeRoot = (from: string = import.meta.dirname): string => {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('there is no package.json above this file');
  return treeRoot(parent);
};
