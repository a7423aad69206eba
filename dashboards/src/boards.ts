// The set, in the order in which a reader goes down: from the fleet to the reason for one bounce.
import { bounces } from './bounces';
import { kumomta } from './kumomta';
import { overview } from './overview';
import { performance } from './performance';
import { providers } from './providers';
import { security } from './security';
import { senders } from './senders';
import { health } from './health';
import { vmtas } from './vmtas';

export const BOARDS = [overview, providers, vmtas, bounces, performance, senders, health, security, kumomta];
