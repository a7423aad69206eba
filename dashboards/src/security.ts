import { ALL_BUT_POSTFIX, Board, EVERY_MTA, rates, SELECT } from './board';

export const security: Board = {
    uid: 'mtawatch-security',
    title: 'Mail: security',
    description: 'Is mail encrypted and authenticated, and does anybody abuse our servers?',
    root: 'pmta_exporter_build_info',
    variables: [],
    rows: [
        {
            title: 'Encryption',
            panels: [
                { kind: 'timeseries', title: 'Encrypted share by provider', unit: 'percentunit', max: 1,
                  description: 'Deliveries over TLS in the last day. Good: 100 % at every large provider.',
                  steps: [[null, 'red'], [0.95, 'green']],
                  queries: [{ expr: `provider:mail_tls:ratio_rate1d{${SELECT}}`, legend: '{{provider}} {{mta}}' }] },
                { kind: 'timeseries', title: 'TLS versions', unit: 'mps', stacked: true,
                  description: 'Deliveries by protocol; none is plain text. Good: TLSv1.2 and TLSv1.3 alone.',
                  queries: [{ expr: `sum by (protocol) (${rates(EVERY_MTA, 'tls_deliveries_total', SELECT)})`, legend: '{{protocol}}' }] },
                { kind: 'table', title: 'DANE', unit: 'short', words: { '0': ['mismatch', 'red'], '1': ['valid', 'green'] },
                  description: 'Whether the published TLSA records match. Good: all valid.',
                  queries: [{ expr: `mail_certificate_dane_valid{${SELECT}}` }] },
                { kind: 'table', title: 'MTA-STS', unit: 'short', words: { '0': ['broken', 'red'], '1': ['valid', 'green'] },
                  description: 'Whether record and policy are right. Good: all valid.',
                  queries: [{ expr: `mail_mta_sts_valid{${SELECT}}` }] },
            ],
        },
        {
            title: 'Authentication',
            panels: [
                { kind: 'timeseries', title: 'Refused for authentication', unit: 'short',
                  description: 'Bounces of the last hour whose reply names SPF, DKIM or DMARC. Good: none.',
                  drill: { board: 'mtawatch-bounces', labels: ['provider'], title: 'These bounces' },
                  queries: [{ expr: `sum by (provider) (reason:mail_bounces:increase1h{reason="authentication", ${SELECT}})`, legend: '{{provider}}' }] },
                { kind: 'table', title: 'SPF by sending address', unit: 'short', words: { '0': ['does not pass', 'red'], '1': ['pass', 'green'] },
                  description: 'Whether each address may send for each domain. Good: all pass.',
                  queries: [{ expr: `mail_spf_pass{${SELECT}}` }] },
                { kind: 'table', title: 'DMARC policy', unit: 'short',
                  description: 'The policy in force for each domain. Good: quarantine or reject.',
                  queries: [{ expr: `mail_dmarc_policy{${SELECT}}` }] },
                { kind: 'table', title: 'DKIM keys', unit: 'bytes',
                  description: 'Length of each key. Good: 256 bytes (2048 bits) or more for RSA, 32 for Ed25519.',
                  queries: [{ expr: `mail_dkim_key_bytes{${SELECT}}` }] },
            ],
        },
        {
            title: 'Abuse',
            panels: [
                { kind: 'timeseries', title: 'Submissions by SMTP user', unit: 'mps',
                  description: 'Receipts a second by user. Good: like last week; a jump may be a stolen password.',
                  queries: [{ expr: `topk(20, sum by (smtp_user) (rate(pmta_smtp_user_receipts_total{${SELECT}}[$__rate_interval])))`, legend: '{{smtp_user}}' }] },
                { kind: 'timeseries', title: 'Submissions by source', unit: 'mps', stacked: true,
                  description: 'Receipts a second by how mail came in. Good: as you expect.',
                  queries: [{ expr: `sum by (source_type) (${rates(ALL_BUT_POSTFIX, 'receipts_total', SELECT)})`, legend: '{{source_type}}' }] },
            ],
        },
    ],
};
