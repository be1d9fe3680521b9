import { closeSync, fstatSync, openSync, opendirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Files, LIMITS, Measure, pathFault, Refusal } from '#evidence';

/** The files below a folder, read as those of a bundle: no links, nothing but files, within the limits of one. @throws {Refusal} */
export const readFolder = (folder: string): Files => {
  const files = new Map<string, Uint8Array>();
  const measure = new Measure(LIMITS);
  const walk = (within: string): void => {
    const entries = opendirSync(join(folder, within));
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        const path = within === '' ? entry.name : `${within}/${entry.name}`;
        const fault = pathFault(path);
        if (fault !== undefined) throw new Refusal(fault, path);
        if (entry.isDirectory()) walk(path);
        else if (entry.isFile()) files.set(path, contentOf(join(folder, path), path, measure));
        else throw new Refusal('it is no plain file but a link or a device', path);
      }
    } finally {
      entries.closeSync();
    }
  };
  walk('');
  return files;
};

const contentOf = (file: string, path: string, measure: Measure): Uint8Array => {
  const open = openSync(file, 'r');
  try {
    const { size } = fstatSync(open);
    measure.take(path, size);
    const content = new Uint8Array(size);
    if (readSync(open, content, 0, size, 0) !== size) throw new Refusal('the file changes while it is read', path);
    return content;
  } finally {
    closeSync(open);
  }
};
