// Takes the Chromium that a package of npm brings out of its Brotli files, beside this file.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

const from = new URL('node_modules/@sparticuz/chromium/bin/', import.meta.url);
for (const name of ['chromium', 'al2023.tar', 'fonts.tar']) {
  await pipeline(createReadStream(new URL(`${name}.br`, from)), createBrotliDecompress(), createWriteStream(new URL(name, import.meta.url)));
}
