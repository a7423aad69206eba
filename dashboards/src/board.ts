// What a board is made of, and how the description becomes Grafana's JSON. Boards are data (the other files); the shared
// header, the layout and the links between boards are made here once.
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

export interface Query {
    expr: string;
    legend?: string;
}

// [from value, colour]: the first entry has no lower bound.
export type Step = [number | null, 'green' | 'orange' | 'red' | 'blue' | 'text'];

export interface Panel {
    kind: 'timeseries' | 'stat' | 'table' | 'heatmap' | 'bargauge';
    title: string;
    // What the panel shows and what good looks like.
    description: string;
    unit: string;
    queries: Query[];
    width?: number;
    height?: number;
    steps?: Step[];
    max?: number;
    stacked?: boolean;
    // Value -> word, for states.
    words?: Record<string, [string, 'green' | 'red' | 'orange' | 'blue']>;
    // The way down: another board, with this label of the clicked series as its variable.
    drill?: { board: string; labels: string[]; title: string };
}

export interface Row {
    title: string;
    panels: Panel[];
}

export interface Variable {
    name: string;
    label: string;
    metric: string;
}

export interface Board {
    uid: string;
    title: string;
    description: string;
    // The metric whose job and instance fill the header.
    root: string;
    variables: Variable[];
    rows: Row[];
}

export const SELECT = 'job=~"$job", instance=~"$instance"';
export const TAG = 'mtawatch';

export type Mta = 'pmta' | 'postfix' | 'kumomta';

const PREFIX: Record<Mta, string> = { pmta: 'pmta_', postfix: 'postfix_', kumomta: 'kumomta_log_' };
export const EVERY_MTA: Mta[] = ['pmta', 'postfix', 'kumomta'];
// A mail log says nothing of complaints, jobs, source addresses and mail that came in.
export const ALL_BUT_POSTFIX: Mta[] = ['pmta', 'kumomta'];

// What `of` makes of each MTA's metrics, told apart by the label mta as in the recorded series: without it `or` would
// take equal series of two MTAs for one.
export const each = (mtas: Mta[], of: (prefix: string) => string): string =>
    mtas.map((mta) => `label_replace(${of(PREFIX[mta])}, "mta", "${mta}", "", "")`).join(' or ');

export const rates = (mtas: Mta[], family: string, select: string): string =>
    each(mtas, (prefix) => `rate(${prefix}${family}{${select}}[$__rate_interval])`);

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

function datasourceVariable(): Builder<dashboard.VariableModel> {
    return new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

function queryVariable(name: string, label: string, query: string): Builder<dashboard.VariableModel> {
    return new dashboard.QueryVariableBuilder(name)
        .label(label)
        .query({ query, refId: name })
        .definition(query)
        .datasource(DATASOURCE)
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
        .sort(dashboard.VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue('.+')
        .current({ selected: true, text: 'All', value: '$__all' });
}

function target(query: Query, index: number, kind: Panel['kind']): prometheus.DataqueryBuilder {
    const builder = new prometheus.DataqueryBuilder()
        .expr(query.expr)
        .datasource(DATASOURCE)
        .refId(String.fromCharCode(65 + index))
        .editorMode(prometheus.QueryEditorMode.Code);
    if (kind === 'table') return builder.format(prometheus.PromQueryFormat.Table).instant();
    if (kind === 'heatmap') return builder.format(prometheus.PromQueryFormat.Heatmap).range().legendFormat('{{le}}');
    const named = builder.legendFormat(query.legend ?? '__auto');
    return kind === 'timeseries' ? named.range() : named.instant();
}

function drillLink(panel: Panel): Builder<dashboard.DashboardLink> {
    const { board, labels, title } = panel.drill!;
    const source = panel.kind === 'table' ? '__data.fields' : '__field.labels';
    const picked = labels.map((label) => `&var-${label}=\${${source}.${label}}`).join('');
    const kept = '${__url_time_range}&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}';
    return new dashboard.DashboardLinkBuilder(title)
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${board}?${kept}${picked}`);
}

function thresholds(steps: Step[]): Builder<dashboard.ThresholdsConfig> {
    return new dashboard.ThresholdsConfigBuilder()
        .mode(dashboard.ThresholdsMode.Absolute)
        .steps(steps.map(([value, color]) => ({ value, color })));
}

type AnyPanel = timeseries.PanelBuilder | stat.PanelBuilder | table.PanelBuilder | heatmap.PanelBuilder | bargauge.PanelBuilder;

function bare(panel: Panel): AnyPanel {
    switch (panel.kind) {
        case 'timeseries': {
            const builder = new timeseries.PanelBuilder()
                .lineWidth(1)
                .fillOpacity(panel.stacked ? 30 : 8)
                .showPoints(common.VisibilityMode.Never)
                .spanNulls(false)
                .legend(new common.VizLegendOptionsBuilder()
                    .displayMode(common.LegendDisplayMode.Table)
                    .placement(common.LegendPlacement.Bottom)
                    .showLegend(true)
                    .calcs(['lastNotNull', 'max']))
                .tooltip(new common.VizTooltipOptionsBuilder()
                    .mode(common.TooltipDisplayMode.Multi)
                    .sort(common.SortOrder.Descending));
            if (panel.stacked) builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
            if (panel.steps) {
                builder.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder()
                    .mode(common.GraphThresholdsStyleMode.Dashed));
            }
            return builder;
        }
        case 'stat':
            return new stat.PanelBuilder()
                .graphMode(common.BigValueGraphMode.None)
                .colorMode(common.BigValueColorMode.Value)
                .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
        case 'bargauge':
            return new bargauge.PanelBuilder()
                .orientation(common.VizOrientation.Horizontal)
                .displayMode(common.BarGaugeDisplayMode.Basic)
                .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
        case 'table':
            return new table.PanelBuilder().showHeader(true).filterable(true);
        case 'heatmap':
            return new heatmap.PanelBuilder().calculate(false)
                .yAxis(new heatmap.YAxisConfigBuilder().unit(panel.unit));
    }
}

// A table of an instant query shows its labels as columns; these are of no use to a reader.
const HIDDEN = ['Time', '__name__', 'job', 'cluster'];

function panelBuilder(panel: Panel, position: dashboard.GridPos, id: number): Builder<dashboard.Panel> {
    const builder: AnyPanel = bare(panel)
        .id(id)
        .title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .unit(panel.unit)
        .gridPos(position) as AnyPanel;
    panel.queries.forEach((query, index) => builder.withTarget(target(query, index, panel.kind)));
    builder.thresholds(thresholds(panel.steps ?? [[null, panel.kind === 'stat' ? 'text' : 'green']]));
    if (panel.unit === 'percentunit') builder.min(0);
    if (panel.max !== undefined) builder.max(panel.max);
    if (panel.words) {
        const options = Object.fromEntries(Object.entries(panel.words).map(([value, [text, color]]) => [value, { text, color }]));
        builder.mappings([{ type: dashboard.MappingType.ValueToText, options }]);
    }
    if (panel.drill) builder.dataLinks([drillLink(panel)]);
    if (panel.kind === 'table') {
        builder.withTransformation({
            id: 'organize',
            options: { excludeByName: Object.fromEntries(HIDDEN.map((name) => [name, true])), indexByName: {}, renameByName: {} },
        });
        if (panel.queries.length > 1) builder.withTransformation({ id: 'merge', options: {} });
    }
    return builder;
}

const DEFAULT_SIZE: Record<Panel['kind'], [number, number]> = {
    timeseries: [12, 8], stat: [4, 4], table: [12, 8], heatmap: [12, 8], bargauge: [12, 8],
};

// Panels flow from left to right; a row begins a new line.
function place(builder: dashboard.DashboardBuilder, rows: Row[]): void {
    let y = 0;
    let id = 0;
    for (const row of rows) {
        builder.withRow(new dashboard.RowBuilder(row.title).id(++id).gridPos({ x: 0, y, w: 24, h: 1 }));
        y += 1;
        let x = 0;
        let tallest = 0;
        for (const panel of row.panels) {
            const [w, h] = [panel.width ?? DEFAULT_SIZE[panel.kind][0], panel.height ?? DEFAULT_SIZE[panel.kind][1]];
            if (x + w > 24) {
                y += tallest;
                x = 0;
                tallest = 0;
            }
            builder.withPanel(panelBuilder(panel, { x, y, w, h }, ++id));
            x += w;
            tallest = Math.max(tallest, h);
        }
        y += tallest;
    }
}

export function build(board: Board): dashboard.Dashboard {
    const builder = new dashboard.DashboardBuilder(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.Crosshair)
        .refresh('1m')
        .time({ from: 'now-6h', to: 'now' })
        .timezone('browser')
        .withVariable(datasourceVariable())
        .withVariable(queryVariable('job', 'Job', `label_values(${board.root}, job)`))
        .withVariable(queryVariable('instance', 'Instance', `label_values(${board.root}{job=~"$job"}, instance)`))
        .link(new dashboard.DashboardLinkBuilder('Mail boards')
            .type(dashboard.DashboardLinkType.Dashboards)
            .tags([TAG])
            .asDropdown(true)
            .includeVars(true)
            .keepTime(true))
        .annotation(new dashboard.AnnotationQueryBuilder()
            .name('Alerts')
            .datasource(DATASOURCE)
            .enable(true)
            .iconColor('red')
            .expr(`ALERTS{alertstate="firing", alertname=~"(Pmta|Mail|Postfix|Kumo).*", ${SELECT}}`)
            .titleFormat('{{alertname}}')
            .textFormat('{{instance}}'));
    for (const { name, label, metric } of board.variables) {
        builder.withVariable(queryVariable(name, label, `label_values(${metric}{${SELECT}}, ${name})`));
    }
    place(builder, board.rows);
    return { ...builder.build(), id: null };
}
