// The rooms of the code, one row each: which others a room may import, whether all of it is pure, whether it may know node:http
// and undici, how many files it may hold. The rows go from the floor up, and no row names one below itself: so there is no
// circle of rooms. Imports of types count: who has to be known to understand a room is the point.

export interface Room {
  readonly is: string;
  /** Rooms, or single files of them. "(pure)": of it only Pure files may be run; types may come from any. */
  readonly may: readonly string[];
  /** Every file of it opens with "Pure." */
  readonly pure?: true;
  /** node:http, node:https and undici, types of them too. Said of the request path, which stands on an engine of our own. */
  readonly nodeHttp?: "never";
  /** Instead of FILES_MAX, and why. */
  readonly files?: readonly [max: number, why: string];
  /** It is not there yet. */
  readonly planned?: true;
}

export const FILES_MAX = 12;
const RUNTIME = "services/runtime";
const COMMAND_LINE = "services/command-line";
const REGISTRY = "services/registry";
const CLOCK = `${RUNTIME}/clock.ts`;
const TIER = "services/tier";
const NET = "services/net";
const HTTP = "services/http";
const LINK = "services/link";
const SEAMS = ["watchdog/desired", "watchdog/engines", "watchdog/rules"];
/** What a command that looks at Docker by itself needs of the engine: a connection, and what containers are called. */
const DOCKER = ["connection.ts", "compose-labels.ts", "container-names.ts"].map((file) => `engines/docker/${file}`);

export const rooms: Readonly<Record<string, Room>> = {
  [RUNTIME]: {
    is: "what every role shares; knows none of them",
    may: [],
    files: [28, "a list of small peers, each a term of its own that any role may need"],
  },
  [REGISTRY]: { is: "the document between the watchdog and the tiers", may: [RUNTIME] },
  [COMMAND_LINE]: { is: "what our command lines share", may: [RUNTIME] },
  "services/client": { is: "the command that asks the balancer", may: [COMMAND_LINE, RUNTIME] },
  [NET]: { is: "bytes over any duplex, and deadlines; knows no protocol", may: [CLOCK], nodeHttp: "never" },
  [`${HTTP}/message`]: { is: "what a message is, and how one is written", may: [`${NET} (pure)`], nodeHttp: "never" },
  [`${HTTP}/parsing`]: {
    is: "messages from bytes, strictly",
    may: [`${HTTP}/message`, `${NET} (pure)`],
    pure: true,
    nodeHttp: "never",
  },
  [`${HTTP}/server`]: {
    is: "clients' connections; knows no tier",
    may: [`${HTTP}/message`, `${HTTP}/parsing`, NET, CLOCK],
    nodeHttp: "never",
  },
  [`${HTTP}/client`]: {
    is: "connections to servers; knows no tier",
    may: [`${HTTP}/message`, `${HTTP}/parsing`, NET],
    nodeHttp: "never",
  },
  [LINK]: {
    is: "streams between two tiers over one connection; knows no HTTP rule",
    may: [NET, `${RUNTIME} (pure)`],
    nodeHttp: "never",
    files: [21, "each a part of one state machine that is small enough to be read alone"],
  },
  [`${TIER}/rules`]: {
    is: "what may pass, and what a failure means",
    may: [`${HTTP}/message`, `${HTTP}/parsing`, `${RUNTIME} (pure)`],
    pure: true,
    nodeHttp: "never",
  },
  [`${TIER}/cluster`]: {
    is: "one upstream: its members, their health, the choice among them",
    may: [`${TIER}/rules`, `${HTTP}/message`, REGISTRY, RUNTIME],
    nodeHttp: "never",
  },
  [`${TIER}/forward`]: {
    is: "one request over one cluster: attempts, retries, their budget",
    may: [`${TIER}/cluster`, `${TIER}/rules`, `${HTTP}/message`, `${HTTP}/parsing`, `${REGISTRY} (pure)`, RUNTIME],
    nodeHttp: "never",
  },
  [`${TIER}/downstream`]: {
    is: "the side towards the client; upgrades leave for node:http here",
    may: [
      `${TIER}/forward`,
      `${TIER}/rules`,
      ...["message", "parsing", "server"].map((room) => `${HTTP}/${room}`),
    ].concat(NET, LINK, RUNTIME),
  },
  [`${TIER}/upstream`]: {
    is: "the side towards the members: each way of sending",
    may: ["downstream", "forward", "cluster", "rules"]
      .map((room) => `${TIER}/${room}`)
      .concat(...["message", "parsing", "client"].map((room) => `${HTTP}/${room}`), NET, LINK, RUNTIME),
  },
  [TIER]: {
    is: "tier.ts, which wires a listener, rules, clusters",
    may: ["rules", "cluster", "forward", "downstream", "upstream"]
      .map((room) => `${TIER}/${room}`)
      .concat(NET, REGISTRY, RUNTIME),
    nodeHttp: "never",
  },
  "services/workers": { is: "a tier in several processes; knows nothing of a tier but its life", may: [RUNTIME] },
  services: {
    is: "a file a role, and main.ts, which starts one",
    may: [TIER, `${TIER}/cluster (pure)`, "services/workers", RUNTIME],
  },

  "watchdog/desired": { is: "what there should be", may: [`${REGISTRY} (pure)`, `${RUNTIME} (pure)`], pure: true },
  "watchdog/engines": { is: "the seams: discovery and runner, in our words", may: ["watchdog/desired", RUNTIME] },
  "watchdog/rules": {
    is: "what to do about each slot, and why",
    may: ["watchdog/desired", "watchdog/engines (pure)", `${REGISTRY} (pure)`, `${RUNTIME} (pure)`],
    pure: true,
    files: [19, "a list of rules, each small enough to be read alone"],
  },
  "watchdog/rollout": {
    is: "a new version, replica by replica; more and fewer of them",
    may: ["watchdog/desired", "watchdog/rules"],
    pure: true,
  },
  "watchdog/guardian": { is: "the watchdog's parent", may: [RUNTIME] },
  "watchdog/guardian/members": { is: "members' processes, which outlive a watchdog", may: [] },
  "watchdog/engines/docker": { is: "members are containers", may: [...SEAMS, RUNTIME] },
  "watchdog/guardian/socket/rules": {
    is: "what may be asked of the Docker engine, and about which containers",
    may: ["watchdog/engines/docker (pure)"],
    pure: true,
  },
  "watchdog/guardian/socket": {
    is: "the Docker socket behind a filter",
    may: ["watchdog/guardian", "watchdog/guardian/socket/rules", "watchdog/engines/docker (pure)"].concat(RUNTIME),
  },
  "watchdog/engines/swarm": { is: "members are tasks", may: [...SEAMS, "watchdog/engines/docker", RUNTIME] },
  "watchdog/engines/process": {
    is: "members are child processes",
    may: ["engines", "desired", "rules", "guardian/child.ts", "guardian/members"]
      .map((room) => `watchdog/${room}`)
      .concat(RUNTIME),
  },
  "watchdog/observe": {
    is: "what a round sees",
    may: ["desired", "engines", "rules", "rollout"].map((room) => `watchdog/${room}`).concat(RUNTIME),
  },
  "watchdog/incidents": {
    is: "what was healed, kept and told",
    may: ["watchdog/desired", "watchdog/engines", "watchdog/rules", REGISTRY, RUNTIME],
  },
  "watchdog/notices": { is: "what people are told", may: ["watchdog/engines", "watchdog/incidents", RUNTIME] },
  "watchdog/act": {
    is: "steps carried out",
    may: ["desired", "engines", "rules", "observe", "incidents"]
      .map((room) => `watchdog/${room}`)
      .concat(REGISTRY, RUNTIME),
  },
  "watchdog/traffic": {
    is: "members' metrics: the page's figures from the tiers', and all of them as one",
    may: [RUNTIME],
  },
  "watchdog/api": {
    is: "the watchdog's port: state, incidents, orders",
    may: ["desired", "rules", "rollout", "observe", "incidents", "traffic"]
      .map((room) => `watchdog/${room}`)
      .concat(COMMAND_LINE, REGISTRY, RUNTIME),
  },
  "watchdog/page/document": {
    is: "what the page shows, as data",
    may: ["api", "incidents", "traffic"]
      .map((room) => `watchdog/${room} (pure)`)
      .concat("watchdog/rules", "watchdog/desired", `${REGISTRY} (pure)`, `${RUNTIME} (pure)`),
    pure: true,
  },
  "watchdog/page/view": {
    is: "how that is drawn, in the watchdog and in the browser",
    may: ["page/document", "api (pure)", "incidents (pure)", "traffic (pure)"].map((room) => `watchdog/${room}`),
    pure: true,
    files: [13, "a file a section of the page, and what they share"],
  },
  "watchdog/page/browser": { is: "the page's script", may: ["watchdog/page/document", "watchdog/page/view"] },
  "watchdog/page": {
    is: "the status page: its files, its stream of events",
    may: ["page/document", "page/view", "api", "traffic (pure)"].map((room) => `watchdog/${room}`).concat(RUNTIME),
  },
  "watchdog/leader": { is: "one acts, another stands by", may: ["watchdog/engines", RUNTIME] },
  "watchdog/ctl/doctor": {
    is: "what is looked at by itself, and what is concluded from it: doctor, check",
    may: [
      "desired",
      ...DOCKER,
      ...["inspected.ts", "obstacle.ts", "slot.ts"].map((file) => `engines/docker/containers/${file}`),
      "engines/swarm",
      "guardian/user.ts",
      "guardian/socket/rules",
      "rules/port-conflict.ts",
    ]
      .map((room) => `watchdog/${room}`)
      .concat(COMMAND_LINE, REGISTRY, RUNTIME),
  },
  "watchdog/ctl": {
    is: "watchdogctl; reads the API",
    may: ["api", "incidents", "page/view (pure)", "ctl/doctor", "desired/nearest.ts", "guardian/user.ts"]
      .map((room) => `watchdog/${room}`)
      .concat(COMMAND_LINE, RUNTIME),
  },
  "watchdog/chaos": {
    is: "injects faults and reads the API; the engine only to inject them",
    may: ["api", "engines/docker/connection.ts", "guardian/socket/rules"]
      .map((room) => `watchdog/${room}`)
      .concat(COMMAND_LINE, RUNTIME),
  },
  watchdog: {
    is: "the loop, which wires all of it",
    may: ["engines", "rules", "rollout", "observe", "act", "incidents", "notices", "api"]
      .concat("traffic", "page", "leader")
      .map((room) => `watchdog/${room}`)
      .concat(RUNTIME),
  },
};
