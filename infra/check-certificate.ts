import { readFileSync } from 'node:fs';
import { checkCertificate } from '#allocation';
import { messageOf } from '#kernel';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('Say which file: npm run check-certificate -- <file>');
  process.exitCode = 1;
} else {
  try {
    const { ok, verified, unverified, doubts } = checkCertificate(readFileSync(file, 'utf8'));
    for (const line of verified) console.log(`verified: ${line}`);
    for (const line of unverified) console.log(`not verified: ${line}`);
    for (const line of doubts) console.error(`doubt: ${line}`);
    console.log(`${file}: ${ok ? 'sound' : `${doubts.length} doubts`}`);
    if (!ok) process.exitCode = 1;
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
