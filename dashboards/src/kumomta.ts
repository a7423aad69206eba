import { Board, SELECT } from './board';

const PROVIDER = `${SELECT}, provider=~"$provider"`;
const attempts = (what: string): string => `sum by (provider) (rate(total_messages_${what}_by_provider{${PROVIDER}}[$__rate_interval]))`;

export const kumomta: Board = {
    uid: 'mtawatch-kumomta',
    title: 'Mail: KumoMTA',
    description: "KumoMTA by its own metrics: who waits, who is throttled, what is suspended?",
    root: 'message_count',
    variables: [{ name: 'provider', label: 'Provider', metric: 'total_messages_delivered_by_provider' }],
    rows: [
        {
            title: 'Outcome',
            panels: [
                { kind: 'timeseries', title: 'Delivered by provider', unit: 'mps', stacked: true,
                  description: 'Good: like last week.',
                  queries: [{ expr: attempts('delivered'), legend: '{{provider}}' }] },
                { kind: 'timeseries', title: 'Failed for now', unit: 'percentunit',
                  description: 'Share of attempts that failed for now. Good: below 15 %.',
                  steps: [[null, 'green'], [0.15, 'orange'], [0.3, 'red']],
                  queries: [{ expr: `${attempts('transfail')} / (${attempts('transfail')} + ${attempts('delivered')} > 0)`, legend: '{{provider}}' }] },
                { kind: 'timeseries', title: 'Failed for good', unit: 'mps', stacked: true,
                  description: 'Good: few, in proportion to the deliveries.',
                  queries: [{ expr: attempts('fail'), legend: '{{provider}}' }] },
                { kind: 'timeseries', title: 'Received', unit: 'mps', stacked: true,
                  description: 'By service. Good: what you submit.',
                  queries: [{ expr: `sum by (service) (rate(total_messages_received{${SELECT}}[$__rate_interval]))`, legend: '{{service}}' }] },
            ],
        },
        {
            title: 'Queues',
            panels: [
                { kind: 'timeseries', title: 'Scheduled by tenant', unit: 'short', stacked: true,
                  description: 'Messages that wait for their next try. Good: flat.',
                  queries: [{ expr: `sum by (tenant) (scheduled_by_tenant{${SELECT}})`, legend: '{{tenant}}' }] },
                { kind: 'table', title: 'Scheduled by campaign', unit: 'short',
                  description: 'Good: no campaign that ended days ago.',
                  queries: [{ expr: `topk(50, sum by (tenant, campaign) (scheduled_by_tenant_campaign{${SELECT}}))` }] },
                { kind: 'timeseries', title: 'Queued by provider', unit: 'short', stacked: true,
                  description: 'Good: in proportion to what you send there.',
                  queries: [{ expr: `sum by (provider) (queued_count_by_provider{${PROVIDER}})`, legend: '{{provider}}' }] },
                { kind: 'timeseries', title: 'Ready queues full', unit: 'cps',
                  description: 'Messages that did not fit the ready queue. Good: none.',
                  queries: [{ expr: `sum by (service) (rate(ready_full{${SELECT}}[$__rate_interval]))`, legend: '{{service}}' }] },
            ],
        },
        {
            title: 'Throttles and sources',
            panels: [
                { kind: 'table', title: 'Suspended sources', unit: 'short', words: { '0': ['in use', 'green'], '1': ['suspended', 'red'] },
                  description: 'Egress sources that KumoMTA no longer uses. Good: none.',
                  queries: [{ expr: `egress_source_health_suspended{${SELECT}}` }] },
                { kind: 'timeseries', title: 'Delayed by a rate limit', unit: 'cps', stacked: true,
                  description: 'Messages held by a message rate throttle, by queue. Good: as your shaping rules intend.',
                  queries: [{ expr: `topk(20, sum by (queue) (rate(delayed_due_to_message_rate_throttle{${SELECT}}[$__rate_interval])))`, legend: '{{queue}}' }] },
                { kind: 'timeseries', title: 'Connection failures by source', unit: 'cps',
                  description: 'Good: few and even.',
                  queries: [{ expr: `sum by (source, kind) (rate(egress_source_connection_failures_total{${SELECT}}[$__rate_interval]))`, legend: '{{source}} {{kind}}' }] },
                { kind: 'timeseries', title: 'Connections by provider', unit: 'short',
                  description: 'Good: below the limits of your shaping rules.',
                  queries: [{ expr: `sum by (provider) (connection_count_by_provider{${PROVIDER}})`, legend: '{{provider}}' }] },
            ],
        },
        {
            title: 'The machine',
            panels: [
                { kind: 'timeseries', title: 'Memory of its limit', unit: 'percentunit', max: 1,
                  description: 'Good: below 80 %; KumoMTA sheds load near the limit.',
                  steps: [[null, 'green'], [0.8, 'orange'], [0.9, 'red']],
                  queries: [{ expr: `memory_usage{${SELECT}} / (memory_limit{${SELECT}} > 0)`, legend: '{{instance}}' }] },
                { kind: 'timeseries', title: 'Free disk', unit: 'percent',
                  description: 'By spool. Good: above 20 %.', steps: [[null, 'red'], [10, 'orange'], [20, 'green']],
                  queries: [{ expr: `disk_free_percent{${SELECT}}`, legend: '{{name}}' }] },
            ],
        },
    ],
};
