import { ALL_BUT_POSTFIX, Board, rates, SELECT } from './board';

const VMTA = `${SELECT}, pool=~"$pool", vmta=~"$vmta"`;

export const vmtas: Board = {
    uid: 'mtawatch-vmtas',
    title: 'Mail: VMTAs and source addresses',
    description: 'Does one of our addresses have a worse reputation than the others?',
    root: 'pmta_exporter_build_info',
    variables: [
        { name: 'pool', label: 'Pool', metric: 'pool:mail_deliveries:rate1h' },
        { name: 'vmta', label: 'VMTA', metric: 'vmta:mail_deliveries:rate1h' },
    ],
    rows: [
        {
            title: 'Reputation',
            panels: [
                { kind: 'timeseries', title: 'Bounced share by VMTA', unit: 'percentunit',
                  description: 'Last hour; of Postfix the relays, which are receivers. Good: all VMTAs of a pool close together and below 5 %.',
                  steps: [[null, 'green'], [0.05, 'orange'], [0.1, 'red']],
                  drill: { board: 'mtawatch-bounces', labels: ['vmta'], title: 'Why this VMTA bounces' },
                  queries: [{ expr: `vmta:mail_bounce_per_attempt:ratio_rate1h{${VMTA}}`, legend: '{{vmta}} {{mta}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Bounces against the pool', unit: 'short',
                  description: 'Bounced share of a VMTA divided by that of its pool. Good: about 1; above 3 one address is blocked.',
                  steps: [[null, 'green'], [2, 'orange'], [3, 'red']],
                  drill: { board: 'mtawatch-bounces', labels: ['vmta'], title: 'Why this VMTA bounces' },
                  queries: [{ expr: `vmta:mail_bounce_over_pool:ratio1h{${VMTA}}`, legend: '{{vmta}} {{mta}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Blocked share by VMTA', unit: 'percentunit',
                  description: 'Bounces that judge the sender. Good: below 1 %.',
                  steps: [[null, 'green'], [0.01, 'orange'], [0.03, 'red']],
                  drill: { board: 'mtawatch-bounces', labels: ['vmta'], title: 'Why this VMTA is blocked' },
                  queries: [{ expr: `vmta:mail_block_per_attempt:ratio_rate1h{${VMTA}}`, legend: '{{vmta}} {{mta}} {{instance}}' }] },
                { kind: 'timeseries', title: 'Deferrals against the pool', unit: 'short',
                  description: 'Deferred share of a VMTA divided by that of its pool. Good: about 1.',
                  steps: [[null, 'green'], [2, 'orange'], [3, 'red']],
                  queries: [{ expr: `vmta:mail_deferral_over_pool:ratio1h{${VMTA}}`, legend: '{{vmta}} {{mta}} {{instance}}' }] },
            ],
        },
        {
            title: 'Volume',
            panels: [
                { kind: 'timeseries', title: 'Attempts by VMTA', unit: 'mps', stacked: true,
                  description: 'Finished mail a second. Good: spread over the pool as you meant it.',
                  queries: [{ expr: `sum by (vmta) (vmta:mail_attempts:rate5m{${VMTA}})`, legend: '{{vmta}}' }] },
                { kind: 'table', title: 'Source addresses', unit: 'mps',
                  description: 'Deliveries a second by the address that mail left from. Good: every address of the pool is there.',
                  queries: [{ expr: `sort_desc(sum by (source_ip) (${rates(ALL_BUT_POSTFIX, 'source_ip_deliveries_total', SELECT)}))` }] },
                { kind: 'timeseries', title: 'Bounces by source address', unit: 'mps',
                  description: 'By class. Good: low and even.',
                  queries: [{ expr: `sum by (source_ip, bounce_class) (${rates(ALL_BUT_POSTFIX, 'source_ip_bounces_total', SELECT)})`, legend: '{{source_ip}} {{bounce_class}}' }] },
                { kind: 'timeseries', title: 'Deferrals by source address', unit: 'mps',
                  description: 'Good: low and even; one address far above the others is being slowed down.',
                  queries: [{ expr: `sum by (source_ip) (${rates(ALL_BUT_POSTFIX, 'source_ip_transient_failures_total', SELECT)})`, legend: '{{source_ip}}' }] },
            ],
        },
        {
            title: 'Blocklists',
            panels: [
                { kind: 'table', title: 'Listings', unit: 'short',
                  description: 'What is on a list now. Good: no row says listed.',
                  words: { '0': ['clean', 'green'], '1': ['listed', 'red'] },
                  queries: [{ expr: `sort_desc(mail_dnsbl_listed{${SELECT}})` }] },
                { kind: 'timeseries', title: 'What the lists could say', unit: 'short',
                  description: 'Lists by verdict for each target. Good: nearly all clean, few unknown.',
                  queries: [{ expr: `sum by (target, verdict) (mail_dnsbl_lists{${SELECT}})`, legend: '{{target}} {{verdict}}' }] },
            ],
        },
    ],
};
