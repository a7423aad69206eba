import { Board, EVERY_MTA, rates, SELECT } from './board';

const PICKED = `${SELECT}, provider=~"$provider", vmta=~"$vmta"`;
const PROVIDER = `${SELECT}, provider=~"$provider"`;

export const bounces: Board = {
    uid: 'mtawatch-bounces',
    title: 'Mail: bounces and deferrals',
    description: 'Why was mail refused or deferred? The details by reason and code.',
    root: 'pmta_exporter_build_info',
    variables: [
        { name: 'provider', label: 'Provider', metric: 'provider:mail_deliveries:rate1h' },
        { name: 'vmta', label: 'VMTA', metric: 'vmta:mail_deliveries:rate1h' },
    ],
    rows: [
        {
            title: 'Bounces',
            panels: [
                { kind: 'timeseries', title: 'By class', unit: 'mps', stacked: true,
                  description: 'hard: no such address; block: a verdict on us; soft: may pass later; local: never left. Good: mostly hard, and little.',
                  queries: [{ expr: `sum by (bounce_class) (vmta_category:mail_bounces:rate5m{${PICKED}})`, legend: '{{bounce_class}}' }] },
                { kind: 'timeseries', title: 'By category', unit: 'mps', stacked: true,
                  description: "The MTA's own categories; Postfix has but message-expired. Good: addresses that do not exist and full mailboxes only.",
                  queries: [{ expr: `sum by (category) (vmta_category:mail_bounces:rate5m{${PICKED}})`, legend: '{{category}}' }] },
                { kind: 'table', title: 'Top reasons', unit: 'short',
                  description: 'Bounces of the last hour by the reason that the reply text gives. Good: unknown-user first.',
                  queries: [{ expr: `sort_desc(sum by (provider, reason) (reason:mail_bounces:increase1h{${PROVIDER}}))` }] },
                { kind: 'timeseries', title: 'Reasons over time', unit: 'mps', stacked: true,
                  description: 'Every bounce by reason. Good: no blocklist, reputation or authentication.',
                  queries: [{ expr: `sum by (reason) (vmta_reason:mail_bounces:rate5m{${PICKED}})`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Deferrals',
            panels: [
                { kind: 'timeseries', title: 'Deferrals by reason', unit: 'mps', stacked: true,
                  description: 'Attempts that failed for now; the VMTA none reached no host. Good: greylist and a little rate-limit; reputation needs work.',
                  queries: [{ expr: `sum by (reason) (vmta_reason:mail_deferrals:rate5m{${PICKED}})`, legend: '{{reason}}' }] },
                { kind: 'timeseries', title: 'Queue-wide failures by reason', unit: 'mps', stacked: true,
                  description: 'Failures of a whole queue (tq records of PowerMTA): connection, DNS, TLS. Good: none.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_queue_transient_failures_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Replies',
            panels: [
                { kind: 'table', title: 'Codes of refusals', unit: 'mps',
                  description: 'Replies that are not 2xx, by provider and code: what to quote to the postmaster there. Good: few rows.',
                  queries: [{ expr: `sort_desc(sum by (provider, code, enhanced_code) (${rates(EVERY_MTA, 'replies_total', `${PROVIDER}, code!~"2.."`)}))` }] },
                { kind: 'timeseries', title: 'Codes over time', unit: 'mps', stacked: true,
                  description: 'Replies by code. Good: 250 alone.',
                  queries: [{ expr: `sum by (code) (${rates(EVERY_MTA, 'replies_total', PROVIDER)})`, legend: '{{code}}' }] },
                { kind: 'timeseries', title: 'Diagnostic records by reason', unit: 'mps', stacked: true, width: 24,
                  description: 'From separate diagnostic files of PowerMTA, never counted as bounces a second time. Good: like the bounces above.',
                  queries: [{ expr: `sum by (reason) (rate(pmta_diagnostics_total{${PICKED}}[$__rate_interval]))`, legend: '{{reason}}' }] },
            ],
        },
        {
            title: 'Where the mail went',
            panels: [
                { kind: 'table', title: 'Recipient domains that bounce', unit: 'mps',
                  description: 'Needs the opt-in group recipient_domain. Good: no single domain far above the others.',
                  queries: [{ expr: `topk(50, sum by (recipient_domain, bounce_class) (${rates(EVERY_MTA, 'recipient_domain_bounces_total', SELECT)}))` }] },
                { kind: 'table', title: 'Recipient domains that defer', unit: 'mps',
                  description: 'Needs the opt-in group recipient_domain. Good: few rows.',
                  queries: [{ expr: `topk(50, sum by (recipient_domain) (${rates(EVERY_MTA, 'recipient_domain_transient_failures_total', SELECT)}))` }] },
            ],
        },
    ],
};
