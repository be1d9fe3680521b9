import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ProblemInfo } from './problem.js';

/** What the pages for people may load: nothing from elsewhere. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const page = (title: string, head: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`;

/** The reader of the interface's document: everything it loads comes from this server. */
export const docsPage = page(
  'Pledgebook API',
  '<link rel="stylesheet" href="/docs/assets/swagger-ui.css"><link rel="icon" href="/docs/assets/favicon-32x32.png">',
  '<div id="docs"></div><script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
);

export const docsStart = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });\n`;

/** What the `type` of a problem points at. Codes and titles are our own words, never input. */
export const problemPage = (code: string, { status, title }: ProblemInfo): string =>
  page(
    `${title} (${code})`,
    '',
    `<h1>${title}</h1><p>Status ${status}, code <code>${code}</code>. What to do stands in the answer's <code>detail</code>, and per field in its <code>errors</code>.</p><p><a href="/docs">All routes</a></p>`,
  );

const ASSETS = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

const assetFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** A file that the page loads; undefined for every other name. */
export const docsAsset = (file: string): { readonly path: string; readonly mediaType: string } | undefined => {
  const mediaType = ASSETS.get(file);
  return mediaType === undefined ? undefined : { path: join(assetFolder, file), mediaType };
};
