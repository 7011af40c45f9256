// A Swarm manager's answers, made by hand in the shapes that Engine 26 gives: tasks, services and nodes of a stack called ek.

export interface TaskChanges {
  readonly id?: string;
  readonly service?: string;
  /** 0: of a global service. */
  readonly slot?: number;
  readonly node?: string;
  readonly state?: string;
  readonly desired?: string;
  readonly error?: string;
  readonly container?: string;
  /** By network. */
  readonly addresses?: Readonly<Record<string, string>>;
}

const CREATED = "2026-11-26T10:00:00.123456789Z";
const ID_REST = "0123456789abcdefghij";

/** A task that runs, as `GET /tasks` has it. */
export function swarmTask(changes: TaskChanges = {}) {
  const { id = "x7k2p", service = "app", slot = 1, node = "node-1", state = "running", desired = "running" } = changes;
  const { error, container, addresses = { ek_mesh: "10.0.1.5" } } = changes;
  return {
    ID: `${id}${ID_REST}`,
    Version: { Index: 31 },
    CreatedAt: CREATED,
    UpdatedAt: CREATED,
    Labels: {},
    Spec: {
      ContainerSpec: { Image: "app:1", Labels: { "com.docker.stack.namespace": "ek" }, Isolation: "default" },
      ForceUpdate: 0,
    },
    ServiceID: `service-${service}`,
    ...(slot > 0 && { Slot: slot }),
    ...(node !== "" && { NodeID: `id-of-${node}` }),
    Status: {
      Timestamp: CREATED,
      State: state,
      Message: "started",
      ...(error && { Err: error }),
      ...(container && { ContainerStatus: { ContainerID: container, PID: 7 } }),
    },
    DesiredState: desired,
    NetworksAttachments: Object.entries(addresses).map(([name, address]) => ({
      Network: {
        ID: `network-${name}`,
        Spec: { Name: name, Labels: {}, ...(name === "ingress" && { Ingress: true }), Scope: "swarm" },
        DriverState: { Name: "overlay" },
      },
      Addresses: [`${address}/24`],
    })),
  };
}

export interface ServiceChanges {
  readonly created?: string;
  /** Under `deploy.labels`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Under `labels`. */
  readonly containerLabels?: Readonly<Record<string, string>>;
  readonly environment?: readonly string[];
  readonly update?: {
    readonly state: string;
    readonly message?: string;
    readonly order?: string;
    readonly parallel?: number;
  };
}

/** A service, as `GET /services` has it. */
export function swarmService(name: string, changes: ServiceChanges = {}) {
  const { created = CREATED, labels = {}, containerLabels = {}, environment, update } = changes;
  return {
    ID: `service-${name}`,
    Version: { Index: 22 },
    CreatedAt: created,
    UpdatedAt: created,
    Spec: {
      Name: `ek_${name}`,
      Labels: { "com.docker.stack.image": "app:1", "com.docker.stack.namespace": "ek", ...labels },
      TaskTemplate: {
        ContainerSpec: {
          Image: "app:1",
          Labels: { "com.docker.stack.namespace": "ek", ...containerLabels },
          ...(environment && { Env: environment }),
        },
        Networks: [{ Target: "network-ek_mesh", Aliases: [name] }],
        Runtime: "container",
      },
      Mode: { Replicated: { Replicas: 2 } },
      ...(update && { UpdateConfig: { Parallelism: update.parallel ?? 1, Order: update.order ?? "start-first" } }),
    },
    ...(update && { UpdateStatus: { State: update.state, StartedAt: CREATED, Message: update.message ?? "" } }),
  };
}

/** A service of ours, as deploy/swarm/stack.yaml has it. */
export function ownService(role: string, port: string) {
  return swarmService(role, { environment: [`ROLE=${role}`, `PORT=${port}`, "ADMIN_PORT=9101"] });
}

/** A node, as `GET /nodes` has it. */
export function swarmNode(name: string, state = "ready") {
  return {
    ID: `id-of-${name}`,
    Version: { Index: 9 },
    Spec: { Labels: {}, Role: "worker", Availability: "active" },
    Description: { Hostname: name, Platform: { Architecture: "x86_64", OS: "linux" } },
    Status: { State: state, Addr: "10.99.0.2" },
  };
}
