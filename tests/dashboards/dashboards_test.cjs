// The committed boards: what the generator writes, what Grafana's own types allow, what its linter asks for, and nothing
// that names a metric, a label or a board which does not exist.
// Usage: node dashboards_test.cjs SOURCE-DIR BINARY-DIR
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const [root, build] = process.argv.slice(2).map((one) => path.resolve(one));
const home = path.join(root, 'dashboards');
const load = (name) => require(require.resolve(name, { paths: [home] }));
const Ajv = load('ajv').default;
const { parser } = load('@prometheus-io/lezer-promql');
const { createGenerator } = load('ts-json-schema-generator');

const problems = [];
const complain = (where, what) => problems.push(`${where}: ${what}`);

const files = fs.readdirSync(home).filter((name) => /^mtawatch-.*\.json$/.test(name)).sort();
const boards = new Map(files.map((name) => [name, JSON.parse(fs.readFileSync(path.join(home, name), 'utf8'))]));

function regenerating_gives_no_difference() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'boards-'));
    try {
        execFileSync(process.execPath, [require.resolve('typescript/bin/tsc', { paths: [home] }), '-p', home, '--outDir', path.join(folder, 'js')]);
        fs.symlinkSync(path.join(home, 'node_modules'), path.join(folder, 'node_modules'));
        fs.mkdirSync(path.join(folder, 'out'));
        execFileSync(process.execPath, [path.join(folder, 'js', 'main.js'), path.join(folder, 'out')]);
        const written = fs.readdirSync(path.join(folder, 'out')).sort();
        if (written.join() !== files.join()) complain('dashboards', `generated ${written}, committed ${files}`);
        for (const name of written) {
            const fresh = fs.readFileSync(path.join(folder, 'out', name), 'utf8');
            if (fresh !== fs.readFileSync(path.join(home, name), 'utf8')) complain(name, 'differs from what dashboards/src writes: npm run build');
        }
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}

const sdk_schema = (module, type) => createGenerator({
    path: path.join(path.dirname(require.resolve(`@grafana/grafana-foundation-sdk/${module}`, { paths: [home] })), 'types.gen.d.ts'),
    type, skipTypeCheck: true, additionalProperties: false, tsconfig: path.join(home, 'tsconfig.json'),
}).createSchema(type);

// Strict: a property that the foundation SDK's types do not know is an error. The dashboard's own type leaves a query
// open, because each data source has its own; ours are Prometheus's.
function grafana_types_allow_it() {
    const schema = sdk_schema('dashboard', 'Dashboard');
    const query = sdk_schema('prometheus', 'Dataquery');
    schema.definitions = { ...query.definitions, ...schema.definitions, Dataquery: query.definitions.Dataquery };
    const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
    for (const [name, board] of boards) {
        if (!validate(board)) complain(name, JSON.stringify(validate.errors.slice(0, 3)));
    }
    const wrong = { ...[...boards.values()][0], schemaVersion: 'nope', surprise: 1 };
    if (validate(wrong)) complain('schema', 'accepts a wrong schemaVersion and an unknown property: it proves nothing');
}

// ---- PromQL ----
const REPLACED = { $__rate_interval: '5m', $__interval: '1m', $__range: '6h' };
const promql = (expr) => Object.entries(REPLACED).reduce((text, [name, value]) => text.replaceAll(name, value), expr)
    .replace(/\$\{?\w+\}?/g, 'x');

function* nodes(tree) {
    const cursor = tree.cursor();
    do yield { name: cursor.name, from: cursor.from, to: cursor.to, node: cursor.node };
    while (cursor.next());
}

function selectors(expr) {
    const text = promql(expr);
    const found = [];
    for (const { name, node } of nodes(parser.parse(text))) {
        if (name !== 'VectorSelector') continue;
        const labels = {};
        let metric = '';
        for (const inner of nodes({ cursor: () => node.cursor() })) {
            if (inner.from < node.from || inner.to > node.to) break;
            if (inner.name === 'Identifier' && !metric) metric = text.slice(inner.from, inner.to);
            if (inner.name === 'UnquotedLabelMatcher') {
                const match = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s.exec(text.slice(inner.from, inner.to));
                if (match) labels[match[1]] = match[3];
            }
        }
        found.push({ metric: metric || labels.__name__ || '', labels, inside: enclosing(node, text) });
    }
    return found;
}

function enclosing(node, text) {
    for (let up = node.parent; up; up = up.parent) {
        if (up.name === 'FunctionCall') return text.slice(up.from, up.to).split('(')[0].trim();
    }
    return '';
}

function syntax_errors(expr) {
    for (const { node } of nodes(parser.parse(promql(expr)))) if (node.type.isError) return true;
    return false;
}

// ---- what exists ----
function known_metrics() {
    const known = new Map([['ALERTS', null], ['up', new Set()]]);
    const catalogue = JSON.parse(execFileSync(path.join(build, 'exporter', 'pmta_exporter'), ['--catalog'], { maxBuffer: 1 << 24 }));
    for (const metric of catalogue.metrics) {
        const labels = new Set(metric.labels);
        known.set(metric.name, labels);
        if (metric.type === 'histogram') known.set(`${metric.name}_bucket`, new Set([...labels, 'le']));
    }
    for (const line of fs.readFileSync(path.join(root, 'tests', 'alert-rules', 'foreign_metrics.tsv'), 'utf8').split('\n')) {
        if (!line || line.startsWith('#')) continue;
        const [name, labels] = line.split('\t');
        known.set(name, new Set((labels || '').split(',').filter(Boolean)));
    }
    for (const line of fs.readFileSync(path.join(root, 'alert-rules', 'recording.rules.yml'), 'utf8').split('\n')) {
        const record = /^\s*- record: (\S+)/.exec(line);
        if (record) known.set(record[1], null);  // its labels are those of the rule's expression
    }
    return known;
}

const TARGET = new Set(['job', 'instance', 'cluster', '__name__']);

function names_exist(where, expr, known) {
    for (const { metric, labels } of selectors(expr)) {
        const pattern = new RegExp(`^(?:${metric})$`);
        const matching = [...known].filter(([name]) => pattern.test(name));
        if (!matching.length) complain(where, `${metric} is no metric of a known catalogue`);
        for (const label of Object.keys(labels)) {
            if (TARGET.has(label)) continue;
            if (matching.every(([, has]) => has && !has.has(label))) complain(where, `${metric} has no label ${label}`);
        }
    }
}

// ---- the linter's rules (grafana/dashboard-linter), none excluded ----
const TITLES = { datasource: 'Data source', job: 'Job', instance: 'Instance' };

function lint_templates(name, board) {
    const list = board.templating.list;
    const byName = Object.fromEntries(list.map((one) => [one.name, one]));
    for (const [variable, label] of Object.entries(TITLES)) {
        if (!byName[variable]) complain(name, `template-${variable}-rule: no variable ${variable}`);
        else if (byName[variable].label !== label) complain(name, `template-${variable}-rule: label is '${byName[variable].label}'`);
    }
    if (byName.datasource.type !== 'datasource' || byName.datasource.query !== 'prometheus') complain(name, 'template-datasource-rule');
    if (list.slice(0, 3).map((one) => one.name).join() !== 'datasource,job,instance') complain(name, 'the header begins with datasource, job, instance');
    for (const one of list) {
        if (one.type !== 'query') continue;
        if (one.datasource?.uid !== '${datasource}') complain(name, `template-${one.name}: not on $datasource`);
        if (!one.multi || one.allValue !== '.+' || !one.includeAll) complain(name, `template-${one.name}: multi, all = .+`);
        if (one.refresh !== 2) complain(name, `template-on-time-change-reload-rule: ${one.name}`);
        const inner = /^label_values\((.*), \w+\)$/.exec(one.query.query);
        if (!inner || syntax_errors(inner[1])) complain(name, `template-label-promql-rule: ${one.query.query}`);
    }
    if (board.editable !== false) complain(name, 'uneditable-dashboard');
}

const UNITS = new Set(['short', 'percentunit', 'percent', 's', 'bytes', 'Bps', 'mps', 'cps']);
const SUFFIX_UNITS = { _seconds: ['s'], _bytes: ['bytes', 'Bps'], _ratio: ['percentunit'] };

function lint_panel(where, panel) {
    if (panel.datasource?.uid !== '${datasource}') complain(where, 'panel-datasource-rule');
    if (!panel.title || !panel.description) complain(where, 'panel-title-description-rule');
    if (!/Good:|Good /.test(panel.description) && !/Needs the opt-in/.test(panel.description)) complain(where, 'the description does not say what good looks like');
    const unit = panel.fieldConfig?.defaults?.unit;
    if (!UNITS.has(unit)) complain(where, `panel-units-rule: '${unit}'`);
    if (!panel.targets?.length) complain(where, 'panel-no-targets-rule');
    if (new Set(panel.targets.map((one) => one.refId)).size !== panel.targets.length) complain(where, 'refIds are not unique');
    if (panel.timezone || ['graph', 'singlestat'].includes(panel.type)) complain(where, 'deprecated panel');
    for (const one of panel.targets) {
        if (one.datasource?.uid !== '${datasource}') complain(where, 'target-datasource');
        const quotient = /[^*]\/ /.test(one.expr);
        for (const [suffix, units] of Object.entries(SUFFIX_UNITS)) {
            const plain = new RegExp(`^(?:sort(?:_desc)?\\()?(?:time\\(\\) - )?\\w*${suffix}\\{`).test(one.expr);
            if (plain && !quotient && !units.includes(unit)) complain(where, `unit ${unit} does not fit ${suffix}`);
        }
    }
}

function lint_target(where, expr) {
    if (syntax_errors(expr)) return complain(where, `target-promql-rule: ${expr}`);
    for (const [range] of expr.matchAll(/\[[^\]]+\]/g)) {
        if (range !== '[$__rate_interval]') complain(where, `target-rate-interval-rule: ${range}`);
    }
    for (const { metric, labels, inside } of selectors(expr)) {
        if (!/job=~"\$job"/.test(expr) || !('job' in labels)) complain(where, `target-job-rule: ${metric}`);
        if (!/instance=~"\$instance"/.test(expr) || !('instance' in labels)) complain(where, `target-instance-rule: ${metric}`);
        if (/^\w+_total$/.test(metric) && !['rate', 'irate', 'increase'].includes(inside)) complain(where, `target-counter-agg-rule: ${metric}`);
    }
    return undefined;
}

function layout(name, board) {
    const ids = new Set();
    const taken = new Set();
    for (const panel of board.panels) {
        if (ids.has(panel.id)) complain(name, `panel id ${panel.id} twice`);
        ids.add(panel.id);
        const { x, y, w, h } = panel.gridPos;
        if (x + w > 24) complain(name, `${panel.title}: wider than the grid`);
        for (let row = y; row < y + h; ++row) {
            for (let column = x; column < x + w; ++column) {
                const cell = `${row}:${column}`;
                if (taken.has(cell)) return complain(name, `${panel.title}: overlaps another panel`);
                taken.add(cell);
            }
        }
    }
    return undefined;
}

function links_resolve(where, panel, uids) {
    for (const { url } of panel.fieldConfig?.defaults?.links ?? []) {
        const [, uid, query] = /^\/d\/([\w-]+)\?(.*)$/.exec(url) ?? [];
        const board = [...boards.values()].find((one) => one.uid === uid);
        if (!uids.has(uid) || !board) { complain(where, `link to ${url}`); continue; }
        for (const kept of ['${__url_time_range}', '${datasource:queryparam}', '${job:queryparam}', '${instance:queryparam}']) {
            if (!query.includes(kept)) complain(where, `link loses ${kept}`);
        }
        for (const [, variable] of query.matchAll(/&var-(\w+)=/g)) {
            if (!board.templating.list.some((one) => one.name === variable)) complain(where, `${uid} has no variable ${variable}`);
        }
    }
}

// The way down from the fleet to the reason: each board is reached in at most three steps, the reason in four clicks.
function way_down() {
    const next = (board) => board.panels.flatMap((panel) => panel.fieldConfig?.defaults?.links ?? []).map(({ url }) => /\/d\/([\w-]+)/.exec(url)[1]);
    const byUid = new Map([...boards.values()].map((board) => [board.uid, board]));
    const distance = new Map([['mtawatch-overview', 0]]);
    for (const queue = ['mtawatch-overview']; queue.length;) {
        const uid = queue.shift();
        for (const target of next(byUid.get(uid))) {
            if (!distance.has(target)) { distance.set(target, distance.get(uid) + 1); queue.push(target); }
        }
    }
    if (!(distance.get('mtawatch-bounces') <= 3)) complain('links', 'the reasons for bounces are more than four clicks away');
}

regenerating_gives_no_difference();
grafana_types_allow_it();
const known = known_metrics();
const uids = new Set([...boards.values()].map((board) => board.uid));
if (uids.size !== boards.size || boards.size !== 9) complain('dashboards', `${boards.size} boards, ${uids.size} uids`);
let queries = 0;
for (const [name, board] of boards) {
    if (`${board.uid}.json` !== name || board.uid.length > 40) complain(name, `uid ${board.uid}`);
    if (board.id !== null) complain(name, 'id must be null');
    lint_templates(name, board);
    layout(name, board);
    for (const panel of board.panels) {
        if (panel.type === 'row') continue;
        const where = `${name} "${panel.title}"`;
        lint_panel(where, panel);
        links_resolve(where, panel, uids);
        for (const { expr } of panel.targets) {
            ++queries;
            lint_target(where, expr);
            names_exist(where, expr, known);
        }
    }
    for (const { expr } of board.annotations.list.filter((one) => one.expr)) lint_target(`${name} annotations`, expr);
}
way_down();
console.log(problems.length ? problems.join('\n') : `${boards.size} boards, ${queries} queries: nothing to complain about`);
process.exit(problems.length ? 1 : 0);
