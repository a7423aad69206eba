"use strict";
var __createBinding = (this && this.__createBinding) || (Object.create ? (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    var desc = Object.getOwnPropertyDescriptor(m, k);
    if (!desc || ("get" in desc ? !m.__esModule : desc.writable || desc.configurable)) {
      desc = { enumerable: true, get: function() { return m[k]; } };
    }
    Object.defineProperty(o, k2, desc);
}) : (function(o, m, k, k2) {
    if (k2 === undefined) k2 = k;
    o[k2] = m[k];
}));
var __setModuleDefault = (this && this.__setModuleDefault) || (Object.create ? (function(o, v) {
    Object.defineProperty(o, "default", { enumerable: true, value: v });
}) : function(o, v) {
    o["default"] = v;
});
var __importStar = (this && this.__importStar) || (function () {
    var ownKeys = function(o) {
        ownKeys = Object.getOwnPropertyNames || function (o) {
            var ar = [];
            for (var k in o) if (Object.prototype.hasOwnProperty.call(o, k)) ar[ar.length] = k;
            return ar;
        };
        return ownKeys(o);
    };
    return function (mod) {
        if (mod && mod.__esModule) return mod;
        var result = {};
        if (mod != null) for (var k = ownKeys(mod), i = 0; i < k.length; i++) if (k[i] !== "default") __createBinding(result, mod, k[i]);
        __setModuleDefault(result, mod);
        return result;
    };
})();
Object.defineProperty(exports, "__esModule", { value: true });
exports.TAG = exports.SELECT = void 0;
exports.build = build;
// What a board is made of, and how the description becomes Grafana's JSON. Boards are data (the other files); the shared
// header, the layout and the links between boards are made here once.
const bargauge = __importStar(require("@grafana/grafana-foundation-sdk/bargauge"));
const common = __importStar(require("@grafana/grafana-foundation-sdk/common"));
const dashboard = __importStar(require("@grafana/grafana-foundation-sdk/dashboard"));
const heatmap = __importStar(require("@grafana/grafana-foundation-sdk/heatmap"));
const prometheus = __importStar(require("@grafana/grafana-foundation-sdk/prometheus"));
const stat = __importStar(require("@grafana/grafana-foundation-sdk/stat"));
const table = __importStar(require("@grafana/grafana-foundation-sdk/table"));
const timeseries = __importStar(require("@grafana/grafana-foundation-sdk/timeseries"));
exports.SELECT = 'job=~"$job", instance=~"$instance"';
exports.TAG = 'mtawatch';
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
function datasourceVariable() {
    return new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}
function queryVariable(name, label, query) {
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
function target(query, index, kind) {
    const builder = new prometheus.DataqueryBuilder()
        .expr(query.expr)
        .datasource(DATASOURCE)
        .refId(String.fromCharCode(65 + index))
        .editorMode(prometheus.QueryEditorMode.Code);
    if (kind === 'table')
        return builder.format(prometheus.PromQueryFormat.Table).instant();
    if (kind === 'heatmap')
        return builder.format(prometheus.PromQueryFormat.Heatmap).range().legendFormat('{{le}}');
    const named = builder.legendFormat(query.legend ?? '__auto');
    return kind === 'timeseries' ? named.range() : named.instant();
}
function drillLink(panel) {
    const { board, labels, title } = panel.drill;
    const source = panel.kind === 'table' ? '__data.fields' : '__field.labels';
    const picked = labels.map((label) => `&var-${label}=\${${source}.${label}}`).join('');
    const kept = '${__url_time_range}&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}';
    return new dashboard.DashboardLinkBuilder(title)
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${board}?${kept}${picked}`);
}
function thresholds(steps) {
    return new dashboard.ThresholdsConfigBuilder()
        .mode(dashboard.ThresholdsMode.Absolute)
        .steps(steps.map(([value, color]) => ({ value, color })));
}
function bare(panel) {
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
            if (panel.stacked)
                builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
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
function panelBuilder(panel, position, id) {
    const builder = bare(panel)
        .id(id)
        .title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .unit(panel.unit)
        .gridPos(position);
    panel.queries.forEach((query, index) => builder.withTarget(target(query, index, panel.kind)));
    builder.thresholds(thresholds(panel.steps ?? [[null, panel.kind === 'stat' ? 'text' : 'green']]));
    if (panel.unit === 'percentunit')
        builder.min(0);
    if (panel.max !== undefined)
        builder.max(panel.max);
    if (panel.words) {
        const options = Object.fromEntries(Object.entries(panel.words).map(([value, [text, color]]) => [value, { text, color }]));
        builder.mappings([{ type: dashboard.MappingType.ValueToText, options }]);
    }
    if (panel.drill)
        builder.dataLinks([drillLink(panel)]);
    if (panel.kind === 'table') {
        builder.withTransformation({
            id: 'organize',
            options: { excludeByName: Object.fromEntries(HIDDEN.map((name) => [name, true])), indexByName: {}, renameByName: {} },
        });
        if (panel.queries.length > 1)
            builder.withTransformation({ id: 'merge', options: {} });
    }
    return builder;
}
const DEFAULT_SIZE = {
    timeseries: [12, 8], stat: [4, 4], table: [12, 8], heatmap: [12, 8], bargauge: [12, 8],
};
// Panels flow from left to right; a row begins a new line.
function place(builder, rows) {
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
function build(board) {
    const builder = new dashboard.DashboardBuilder(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([exports.TAG])
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
        .tags([exports.TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true))
        .annotation(new dashboard.AnnotationQueryBuilder()
        .name('Alerts')
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor('red')
        .expr(`ALERTS{alertstate="firing", alertname=~"(Pmta|Mail|Postfix|Kumo).*", ${exports.SELECT}}`)
        .titleFormat('{{alertname}}')
        .textFormat('{{instance}}'));
    for (const { name, label, metric } of board.variables) {
        builder.withVariable(queryVariable(name, label, `label_values(${metric}{${exports.SELECT}}, ${name})`));
    }
    place(builder, board.rows);
    return { ...builder.build(), id: null };
}
