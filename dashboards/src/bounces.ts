import { Board, SELECT } from './board';

const PICKED = `${SELECT}, provider=~"$provider", vmta=~"$vmta"`;
const PROVIDER = `${SELECT}, provider=~"$provider"`;

export const bounces: Board = {
    uid: 'mtawatch-bounces',
    title: 'Mail: bounces and deferrals',
    description: 'Why was mail refused or put off? The bottom of the way down.',
    root: 'pmta_accounting_records_total',
    variables: [
        { name: 'provider', label: 'Provider', metric: 'pmta_deliveries_total' },
        { name: 'vmta', label: 'VMTA', metric: 'pmta_deliveries_total' },
    ],
    rows: [
        {
            title: 'Bounces',
            panels: [
                { kind: 'timeseries', title: 'By class', unit: 'mps', stacked: true,
                  description: 'hard: no such address; block: a verdict on us; soft: may pass later; local: never left. Good: mostly hard, and little.',
                  queries: [{ expr: `sum by (bounce_class) (rate(pmta_bounces_total{${PICKED}}[$__rate_interval]))`, legend: '{{bounce_class}}' }] },
                { kind: 'timeseries', title: 'By category', unit: 'mps', stacked: true,
                  description: "PowerMTA's own categories. Good: bad-mailbox and quota-issues only.",
                  queries: [{ expr: `sum by (category) (rate(pmta_bounces_total{${PICKED}}[$__rate_interval]))`, legend: '{{category}}' }] },
                { kind: 'table', title: 'Top reasons', unit: 'short',
                  description: 'Bounces of the last hour by the reason that the reply text gives. Good: unknown-user first.',
                  queries: [{ expr: `sort_desc(sum by (provider, reason) (reason:mail_bounces:increase1h{${PROVIDER}}))` }] },
                { kind: 'timeseries', title: 'Reasons over time', unit: 'mps', stacked: true,
                  description: 'Every bounce by reason. Good: no blocklist, reputation or authentication.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_bounce_reasons_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Deferrals',
            panels: [
                { kind: 'timeseries', title: 'Deferrals by reason', unit: 'mps', stacked: true,
                  description: 'Transient failures (t records). Good: greylist and a little rate-limit; reputation needs work.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_transient_failures_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
                { kind: 'timeseries', title: 'Queue-wide failures by reason', unit: 'mps', stacked: true,
                  description: 'Failures of a whole queue (tq records): connection, DNS, TLS. Good: none.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_queue_transient_failures_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Replies',
            panels: [
                { kind: 'table', title: 'Codes of refusals', unit: 'mps',
                  description: 'Replies that are not 2xx, by provider and code: what to quote to the postmaster there. Good: few rows.',
                  queries: [{ expr: `sort_desc(sum by (provider, code, enhanced_code) (rate(pmta_replies_total{${PROVIDER}, code!~"2.."}[$__rate_interval])))` }] },
                { kind: 'timeseries', title: 'Codes over time', unit: 'mps', stacked: true,
                  description: 'Replies by code. Good: 250 alone.',
                  queries: [{ expr: `sum by (code) (rate(pmta_replies_total{${PROVIDER}}[$__rate_interval]))`, legend: '{{code}}' }] },
                { kind: 'timeseries', title: 'Diagnostic records by reason', unit: 'mps', stacked: true, width: 24,
                  description: 'From separate diagnostic files, never counted as bounces a second time. Good: like the bounces above.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_diagnostics_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Where the mail went',
            panels: [
                { kind: 'table', title: 'Recipient domains that bounce', unit: 'mps',
                  description: 'Needs the opt-in group recipient_domain. Good: no single domain far above the others.',
                  queries: [{ expr: `topk(50, sum by (recipient_domain, bounce_class) (rate(pmta_recipient_domain_bounces_total{${SELECT}}[$__rate_interval])))` }] },
                { kind: 'table', title: 'Recipient domains that defer', unit: 'mps',
                  description: 'Needs the opt-in group recipient_domain. Good: few rows.',
                  queries: [{ expr: `topk(50, sum by (recipient_domain) (rate(pmta_recipient_domain_transient_failures_total{${SELECT}}[$__rate_interval])))` }] },
            ],
        },
    ],
};
