// Writes every board as JSON into the folder given as the first argument.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './board';
import { BOARDS } from './boards';

const folder = process.argv[2];
if (!folder) throw new Error('usage: node build/main.js FOLDER');
for (const board of BOARDS) {
    writeFileSync(join(folder, `${board.uid}.json`), `${JSON.stringify(build(board), null, 2)}\n`);
}
