import { Board, SELECT } from './board';

const total = (rule: string): string => `sum(pool:mail_${rule}{${SELECT}})`;
const lastWeek = (rule: string): string => `sum(pool:mail_${rule}{${SELECT}} offset 1w)`;
// Only what has both counts: a log that says nothing of bounces or complaints must not thin out those of the others.
const shareOf = (part: string, whole: string): string => `sum(${part} and ${whole}) / (sum(${whole} and ${part}) > 0)`;
const pools = (rule: string): string => `pool:mail_${rule}:rate1h{${SELECT}}`;
const share = (part: string, whole: string): string => shareOf(pools(part), pools(whole));
const shareThen = (part: string, whole: string): string => shareOf(`${pools(part)} offset 1w`, `${pools(whole)} offset 1w`);
const senders = (rule: string): string => `sender_domain:mail_${rule}:rate1d{${SELECT}}`;

export const overview: Board = {
    uid: 'mtawatch-overview',
    title: 'Mail: delivery overview',
    description: 'Is our mail being delivered, everywhere, now and against last week?',
    root: 'pmta_exporter_build_info',
    variables: [],
    rows: [
        {
            title: 'Now',
            panels: [
                { kind: 'stat', title: 'Delivered a second', unit: 'mps', width: 4,
                  description: 'Messages delivered by SMTP, mean of the last hour. Good: close to the same hour last week.',
                  queries: [{ expr: total('deliveries:rate1h'), legend: 'now' }, { expr: lastWeek('deliveries:rate1h'), legend: 'last week' }] },
                { kind: 'stat', title: 'Delivered share', unit: 'percentunit', width: 4,
                  description: 'Share of finished mail that was delivered. Good: above 95 %.',
                  steps: [[null, 'red'], [0.85, 'orange'], [0.95, 'green']],
                  queries: [{ expr: share('deliveries', 'attempts'), legend: 'now' }, { expr: shareThen('deliveries', 'attempts'), legend: 'last week' }] },
                { kind: 'stat', title: 'Bounced share', unit: 'percentunit', width: 4,
                  description: 'Share of finished mail that receivers refused for good. Good: below 5 %.',
                  steps: [[null, 'green'], [0.05, 'orange'], [0.1, 'red']],
                  queries: [{ expr: share('bounces', 'attempts'), legend: 'now' }, { expr: shareThen('bounces', 'attempts'), legend: 'last week' }] },
                { kind: 'stat', title: 'Deferred share', unit: 'percentunit', width: 4,
                  description: 'Share of all attempts that were deferred. Good: below 15 %; absent where the log has no deferrals.',
                  steps: [[null, 'green'], [0.15, 'orange'], [0.3, 'red']],
                  queries: [{ expr: share('deferrals', 'tries'), legend: 'now' }, { expr: shareThen('deferrals', 'tries'), legend: 'last week' }] },
                { kind: 'stat', title: 'Complaint share', unit: 'percentunit', width: 4,
                  description: 'Complaints for each delivered message over a day. Good: below 0.1 %; absent without feedback loops.',
                  steps: [[null, 'green'], [0.001, 'orange'], [0.003, 'red']],
                  queries: [{ expr: shareOf(senders('complaints'), senders('deliveries')), legend: 'last day' }] },
                { kind: 'stat', title: 'Firing alerts', unit: 'short', width: 4,
                  description: 'Alerts that fire now, without the Watchdog. Good: none.',
                  steps: [[null, 'green'], [1, 'orange'], [5, 'red']],
                  queries: [{ expr: `count(ALERTS{alertstate="firing", alertname!="Watchdog", ${SELECT}}) or vector(0)`, legend: 'firing' }] },
            ],
        },
        {
            title: 'Flow',
            panels: [
                { kind: 'timeseries', title: 'Delivered, bounced, deferred', unit: 'mps', stacked: true,
                  description: 'What became of each try. Good: a broad band of delivered mail and thin ones above it.',
                  queries: [{ expr: total('deliveries:rate5m'), legend: 'delivered' }, { expr: total('bounces:rate5m'), legend: 'bounced' }, { expr: total('deferrals:rate5m'), legend: 'deferred' }] },
                { kind: 'timeseries', title: 'Delivered against last week', unit: 'mps',
                  description: 'The same hour a week ago beside now. Good: lines that lie close together.',
                  queries: [{ expr: total('deliveries:rate1h'), legend: 'now' }, { expr: lastWeek('deliveries:rate1h'), legend: 'last week' }] },
                { kind: 'timeseries', title: 'Bounced share by pool', unit: 'percentunit',
                  description: 'Each pool by itself, last hour; all of a Postfix is one. Good: below 5 %, no pool far above the others.',
                  steps: [[null, 'green'], [0.05, 'orange'], [0.1, 'red']],
                  drill: { board: 'mtawatch-vmtas', labels: ['pool'], title: 'VMTAs of this pool' },
                  queries: [{ expr: `pool:mail_bounce_per_attempt:ratio_rate1h{${SELECT}}`, legend: '{{pool}} {{mta}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Send rate by provider', unit: 'short', stacked: true,
                  description: 'Messages accepted in the last hour by mailbox provider. Good: steady, no provider missing.',
                  drill: { board: 'mtawatch-providers', labels: ['provider'], title: 'This provider' },
                  queries: [{ expr: `sum by (provider) (provider:mail_deliveries:increase1h{${SELECT}})`, legend: '{{provider}}' }] },
            ],
        },
        {
            title: 'Where to look',
            panels: [
                { kind: 'table', title: 'Worst providers', unit: 'percentunit',
                  description: 'Mailbox providers by bounced share, at least 100 attempts in the last hour. Good: all below 5 %.',
                  steps: [[null, 'green'], [0.05, 'orange'], [0.1, 'red']],
                  drill: { board: 'mtawatch-providers', labels: ['provider'], title: 'This provider' },
                  queries: [{ expr: `sort_desc(provider:mail_bounce_per_attempt:ratio_rate1h{${SELECT}} and provider:mail_attempts:increase1h{${SELECT}} >= 100)` }] },
                { kind: 'table', title: 'Health of senders', unit: 'percentunit',
                  description: 'Score of each sender domain over a day, worst first. Good: 85 % or more; poor is below 50 %.',
                  steps: [[null, 'red'], [0.5, 'orange'], [0.7, 'green']],
                  drill: { board: 'mtawatch-senders', labels: ['sender_domain'], title: 'This sender' },
                  queries: [{ expr: `sort(sender_domain:mail_health:score1d{${SELECT}})` }] },
                { kind: 'table', title: 'Firing alerts', unit: 'short', width: 24,
                  description: 'What fires now, with its labels. Good: an empty table.',
                  queries: [{ expr: `ALERTS{alertstate="firing", ${SELECT}}` }] },
            ],
        },
    ],
};
