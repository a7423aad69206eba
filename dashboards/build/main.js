"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
// Writes every board as JSON into the folder given as the first argument.
const node_fs_1 = require("node:fs");
const node_path_1 = require("node:path");
const board_1 = require("./board");
const boards_1 = require("./boards");
const folder = process.argv[2];
if (!folder)
    throw new Error('usage: node build/main.js FOLDER');
for (const board of boards_1.BOARDS) {
    (0, node_fs_1.writeFileSync)((0, node_path_1.join)(folder, `${board.uid}.json`), `${JSON.stringify((0, board_1.build)(board), null, 2)}\n`);
}
