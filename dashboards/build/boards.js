"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.BOARDS = void 0;
// The set, in the order in which a reader goes down: from the fleet to the reason for one bounce.
const bounces_1 = require("./bounces");
const kumomta_1 = require("./kumomta");
const overview_1 = require("./overview");
const performance_1 = require("./performance");
const providers_1 = require("./providers");
const security_1 = require("./security");
const senders_1 = require("./senders");
const health_1 = require("./health");
const vmtas_1 = require("./vmtas");
exports.BOARDS = [overview_1.overview, providers_1.providers, vmtas_1.vmtas, bounces_1.bounces, performance_1.performance, senders_1.senders, health_1.health, security_1.security, kumomta_1.kumomta];
