// DuckDB counting an accounting file, as a peer of `bench_accounting series`: node duckdb_group.mjs FILE [start|one]
// Needs @duckdb/node-api (npm install, in any folder above this file or beside a copy of it). One thread. `start` only
// starts it, `one` groups by type, domain, VMTA and category alone; else every default and opt-in family that needs no
// table of ours (providers, reply rules) is counted from one reading of the file.
import { DuckDBInstance } from '@duckdb/node-api';

const [file, part] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
const source = `read_csv('${file}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')`;
const run = async (sql) => (await connection.runAndReadAll(sql)).getRows().map((row) => row.map(String));

if (part === 'start') {
  await run('SELECT 1');
} else if (part === 'one') {
  console.log(await run(`SELECT count(*), sum(n) FROM (SELECT type, lower(split_part(rcpt, '@', 2)) AS domain, vmta,
    bounceCat, count(*) AS n FROM ${source} GROUP BY ALL)`));
} else {
  const second = (column) => `epoch(strptime(left(${column}, 19), '%Y-%m-%d %H:%M:%S'))`;
  await connection.run(`CREATE TEMP TABLE r AS SELECT type, lower(split_part(rcpt, '@', 2)) AS domain,
    lower(split_part(orig, '@', 2)) AS sender, vmta, vmtaPool AS pool, jobId AS job, dlvSourceIp AS source, bounceCat,
    split_part(dsnStatus, ' ', 1) AS status, regexp_extract(dsnDiag, '^smtp;([0-9]{3})', 1) AS code,
    TRY_CAST(dlvSize AS BIGINT) AS size, ${second('timeLogged')} - ${second('timeQueued')} AS delay FROM ${source}`);
  const groups = ['type, domain', 'type, vmta, pool, bounceCat', 'type, sender', 'type, source', 'type, job',
    'type, status, code'];
  for (const by of groups) {
    console.log(by, await run(`SELECT count(*), sum(n) FROM (SELECT ${by}, count(*) AS n, sum(size) FROM r GROUP BY ${by})`));
  }
  const buckets = [1, 5, 15, 30, 60, 300, 900, 3600, 14400, 43200, 86400, 172800, 259200, 432000];
  const counts = buckets.map((bound) => `count(*) FILTER (delay <= ${bound})`).join(', ');
  console.log('delay', (await run(`SELECT pool, ${counts}, sum(delay) FROM r WHERE type = 'd' GROUP BY pool`)).length);
}
