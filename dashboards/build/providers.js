"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.providers = void 0;
const board_1 = require("./board");
const PROVIDER = `${board_1.SELECT}, provider=~"$provider"`;
exports.providers = {
    uid: 'mtawatch-providers',
    title: 'Mail: mailbox providers',
    description: 'Which mailbox provider refuses, delays or slows our mail?',
    root: 'pmta_accounting_records_total',
    variables: [{ name: 'provider', label: 'Provider', metric: 'pmta_deliveries_total' }],
    rows: [
        {
            title: 'Shares of the last hour',
            panels: [
                { kind: 'timeseries', title: 'Delivered share', unit: 'percentunit', max: 1,
                    description: 'Share of finished mail that the provider took. Good: above 95 %.',
                    steps: [[null, 'red'], [0.85, 'orange'], [0.95, 'green']],
                    queries: [{ expr: `provider:mail_delivery_per_attempt:ratio_rate1h{${PROVIDER}}`, legend: '{{provider}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Bounced share', unit: 'percentunit',
                    description: 'Share of finished mail that the provider refused for good. Good: below 5 %.',
                    steps: [[null, 'green'], [0.05, 'orange'], [0.1, 'red']],
                    drill: { board: 'mtawatch-bounces', labels: ['provider'], title: 'Why this provider bounces' },
                    queries: [{ expr: `provider:mail_bounce_per_attempt:ratio_rate1h{${PROVIDER}}`, legend: '{{provider}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Blocked share', unit: 'percentunit',
                    description: 'Bounces that judge us rather than the address: spam, policy, content. Good: below 1 %.',
                    steps: [[null, 'green'], [0.01, 'orange'], [0.03, 'red']],
                    drill: { board: 'mtawatch-bounces', labels: ['provider'], title: 'Why this provider blocks us' },
                    queries: [{ expr: `provider:mail_block_per_attempt:ratio_rate1h{${PROVIDER}}`, legend: '{{provider}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Deferred share', unit: 'percentunit',
                    description: 'Share of all tries that were put off. Good: below 15 %.',
                    steps: [[null, 'green'], [0.15, 'orange'], [0.3, 'red']],
                    drill: { board: 'mtawatch-bounces', labels: ['provider'], title: 'Why this provider defers' },
                    queries: [{ expr: `provider:mail_deferral_per_try:ratio_rate1h{${PROVIDER}}`, legend: '{{provider}} {{instance}}' }] },
            ],
        },
        {
            title: 'Volume and time',
            panels: [
                { kind: 'timeseries', title: 'Attempts in an hour', unit: 'short',
                    description: 'Finished mail to each provider in the last hour. Good: like the same hour last week.',
                    queries: [{ expr: `sum by (provider) (provider:mail_attempts:increase1h{${PROVIDER}})`, legend: '{{provider}}' },
                        { expr: `sum by (provider) (provider:mail_attempts:increase1h{${PROVIDER}} offset 1w)`, legend: '{{provider}} last week' }] },
                { kind: 'timeseries', title: 'Delay of 95 % of the mail', unit: 's',
                    description: 'From submission to acceptance. Good: seconds; minutes mean deferrals or a full queue.',
                    queries: [{ expr: `provider:mail_delivery_delay_seconds:quantile_rate1h{quantile="0.95", ${PROVIDER}}`, legend: '{{provider}} {{instance}}' }] },
                { kind: 'bargauge', title: 'Delivered bytes a second', unit: 'Bps',
                    description: 'Volume by provider. Good: in proportion to the messages.',
                    queries: [{ expr: `sum by (provider) (rate(pmta_delivered_bytes_total{${PROVIDER}}[$__rate_interval]))`, legend: '{{provider}}' }] },
                { kind: 'timeseries', title: 'Error budget burn', unit: 'short',
                    description: 'How many times faster than allowed the 3 % of the objective are used up. Good: below 1.',
                    steps: [[null, 'green'], [1, 'orange'], [6, 'red']],
                    queries: [{ expr: `provider:mail_bounce_per_attempt:ratio_rate1h{${PROVIDER}} / 0.03`, legend: '{{provider}} 1h' },
                        { expr: `provider:mail_bounce_per_attempt:ratio_rate6h{${PROVIDER}} / 0.03`, legend: '{{provider}} 6h' }] },
            ],
        },
        {
            title: 'What they say',
            panels: [
                { kind: 'table', title: 'Reply codes', unit: 'mps',
                    description: 'Replies by code and enhanced code. Good: 250 and 2.0.0 far ahead of everything else.',
                    queries: [{ expr: `sort_desc(sum by (provider, code, enhanced_code) (rate(pmta_replies_total{${PROVIDER}}[$__rate_interval])))` }] },
                { kind: 'table', title: 'Reasons for bounces', unit: 'short',
                    description: 'Bounces of the last hour by reason. Good: unknown users only, and few.',
                    drill: { board: 'mtawatch-bounces', labels: ['provider'], title: 'This provider' },
                    queries: [{ expr: `sort_desc(reason:mail_bounces:increase1h{${PROVIDER}})` }] },
                { kind: 'timeseries', title: 'Bounces reported later', unit: 'mps', width: 24,
                    description: 'Remote bounces (rb records): accepted first, refused afterwards. Good: few.',
                    queries: [{ expr: `sum by (provider, bounce_class) (rate(pmta_remote_bounces_total{${PROVIDER}}[$__rate_interval]))`, legend: '{{provider}} {{bounce_class}}' }] },
            ],
        },
    ],
};
