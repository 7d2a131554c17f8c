// Reads forms as servers on Node do.
//
// Each line of standard input is `{"raw": …}`; the answer is one line with, for each
// parser, the values of each name. The argument is the folder in which `qs` is installed.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import querystring from 'node:querystring';

const qs = createRequire(join(resolve(process.argv[2]), 'package.json'))('qs');

const list = (value) => (Array.isArray(value) ? value : [value]);
const members = (object) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, list(value)]));
const entries = (params) => Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));

const parsers = {
    'URLSearchParams': (raw) => entries(new URLSearchParams(raw)),
    'URL': (raw) => entries(new URL(`https://login.example.com/?${raw}`).searchParams),
    'querystring': (raw) => members(querystring.parse(raw)),
    'qs': (raw) => members(qs.parse(raw)),
    // The extended parsers of Express.
    'qs allowPrototypes': (raw) => members(qs.parse(raw, { allowPrototypes: true, arrayLimit: 100 })),
    'qs allowDots': (raw) => members(qs.parse(raw, { allowDots: true, decodeDotInKeys: true })),
    'qs comma': (raw) => members(qs.parse(raw, { comma: true })),
    'qs delimiter': (raw) => members(qs.parse(raw, { delimiter: /[&;]/ })),
    // A pair named `utf8` may switch the charset, and with it character references.
    'qs charsetSentinel': (raw) => members(qs.parse(raw, { charsetSentinel: true, interpretNumericEntities: true })),
};

const lines = readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
const answers = lines.map((line) => {
    const { raw } = JSON.parse(line);
    return JSON.stringify(Object.fromEntries(Object.entries(parsers).map(([parser, read]) => [parser, read(raw)])));
});
process.stdout.write(answers.map((answer) => `${answer}\n`).join(''));
