// A Compose file with two services that use whatever of Compose this engine supports and a heal could lose: one for all that a
// container has of its own, one for what it shares with another. With it, what of an inspected container may differ after a heal.

import { PROJECT } from "./containers.ts";

export interface Ports {
  /** Free ones of the host. */
  readonly fixed: number;
  /** The second byte of a network that nobody else uses. */
  readonly network: number;
}

export const twinComposeFile = ({ fixed, network }: Ports) => `
name: ${PROJECT}
services:
  first:
    image: ${PROJECT}
    init: true
    restart: "no"
    environment: { ROLE: server, ID: first, GROUP: "1", ODD: 'a=b "c"' }
    hostname: first
    domainname: example.test
    user: "1000:1000"
    group_add: ["4"]
    working_dir: /app/dist
    entrypoint: [node, --enable-source-maps]
    command: [services/main.js]
    stop_signal: SIGINT
    stop_grace_period: 7s
    cpus: 0.9
    cpu_shares: 512
    cpuset: "0"
    mem_limit: 300m
    mem_reservation: 100m
    memswap_limit: 400m
    mem_swappiness: 10
    pids_limit: 90
    oom_score_adj: 100
    ulimits: { nofile: { soft: 2048, hard: 4096 }, nproc: 512 }
    shm_size: 32m
    healthcheck: { test: [CMD, bash, /app/healthcheck.sh], interval: 20s, timeout: 4s, retries: 5, start_period: 9s, start_interval: 2s }
    extra_hosts: ["elsewhere:192.0.2.7"]
    dns: [192.0.2.53]
    dns_search: [example.test]
    dns_opt: ["timeout:1"]
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    read_only: true
    ipc: shareable
    devices: ["/dev/null:/dev/nothing:r"]
    device_cgroup_rules: ["c 1:3 r"]
    sysctls: { net.core.somaxconn: "512" }
    labels: { evenkeel.role: server, evenkeel.reports: "yes", org.example.odd: 'with "quotes", = and spaces' }
    annotations: { org.example.note: kept }
    logging: { driver: local, options: { max-size: 5m, max-file: "2" } }
    tmpfs: [/tmp, "/scratch:size=1m"]
    volumes:
      - registry:/run/evenkeel:ro
      - /var/data
      - ./compose.yml:/etc/given.yml:ro
      - { type: tmpfs, target: /memory, tmpfs: { size: 1048576 } }
      - { type: volume, source: registry, target: /other, volume: { nocopy: true } }
    expose: ["7000"]
    ports: ["127.0.0.1:${fixed}:9001", "127.0.0.1::9002/udp"]
    links: ["other:friend"]
    mac_address: 02:42:0a:00:00:99
    networks:
      front: { ipv4_address: 10.${network}.0.77, aliases: [one, eins], priority: 100 }
      back: { aliases: [behind] }
  second:
    image: ${PROJECT}
    init: true
    restart: "no"
    labels: { evenkeel.role: server, evenkeel.reports: "yes" }
    environment: { ROLE: server, ID: second, GROUP: "1" }
    network_mode: service:first
    ipc: service:first
    volumes_from: [other]
    read_only: true
    tmpfs: [/tmp]
  other:
    image: ${PROJECT}
    init: true
    restart: "no"
    labels: { evenkeel.role: server, evenkeel.reports: "yes" }
    environment: { ROLE: server, ID: other, GROUP: "1" }
    networks: [front, back]
    volumes: [/var/kept]
networks:
  front: { ipam: { config: [{ subnet: 10.${network}.0.0/24 }] } }
  back:
volumes: { registry: }
`;

/** Paths of an inspected container that may differ after a heal, and why. Whatever else does is lost or made up. */
export const MAY_DIFFER: readonly (readonly [path: RegExp, why: string])[] = [
  [/^Created$/, "its own time"],
  [/^ExecIDs/, "a health check under way"],
  [/^State\.(Pid|StartedAt|Health\..*)$/, "its own life"],
  [/^GraphDriver\.Data\./, "its own layer"],
  [/^NetworkSettings\.Sandbox(ID|Key)$/, "its own sandbox"],
  [/^NetworkSettings\.Networks\.[^.]+\.EndpointID$/, "its own endpoint"],
  [/^NetworkSettings\.Networks\.[^.]+_back\.(IPAddress|MacAddress)$/, "nobody has configured one there"],
  [/^NetworkSettings\.Ports\.9002\/udp\./, "a port of the engine's choice"],
  [/^HostConfig\.(Binds|Mounts)\..*\/var\/data/, "an anonymous volume is inherited by its name"],
  [/^Config\.Env\..*REGISTRY=/, "the registry of the moment, which a heal gives it"],
  [/^Config\.Env\..*REPORT_NONCE=/, "what its reports have to hold, new with each heal"],
];
