// Pure. What a Swarm manager answers about tasks, services and nodes, as far as we read it. What is no such answer is refused in one
// line that names the first thing wrong with it.

import * as z from "zod";

const labels = z.record(z.string(), z.string()).nullish();

/** What tasks are made from, kept whole: a task has the template of its day. */
const template = z.looseObject({
  ContainerSpec: z
    .looseObject({
      Image: z.string().optional(),
      Hostname: z.string().optional(),
      Labels: labels,
      Env: z.array(z.string()).nullish(),
    })
    .optional(),
});

const task = z.object({
  ID: z.string().min(1),
  CreatedAt: z.string(),
  ServiceID: z.string(),
  /** Its number in a replicated service; 0 or absent in a global one. */
  Slot: z.int().nonnegative().optional(),
  /** Absent until it is placed. */
  NodeID: z.string().optional(),
  Spec: template,
  Status: z.object({
    State: z.string(),
    Err: z.string().optional(),
    ContainerStatus: z.object({ ContainerID: z.string().optional() }).nullish(),
  }),
  DesiredState: z.string(),
  NetworksAttachments: z
    .array(
      z.object({
        Network: z.object({ Spec: z.object({ Name: z.string(), Ingress: z.boolean().optional() }) }),
        /** With their prefixes: 10.0.1.5/24. */
        Addresses: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

const service = z.object({
  ID: z.string().min(1),
  CreatedAt: z.string(),
  Spec: z.object({
    Name: z.string().min(1),
    Labels: labels,
    TaskTemplate: template,
    UpdateConfig: z.object({ Order: z.string().optional(), Parallelism: z.int().nonnegative().optional() }).optional(),
  }),
  /** Absent: it was never updated. */
  UpdateStatus: z.object({ State: z.string().optional(), Message: z.string().optional() }).optional(),
});

const node = z.object({
  ID: z.string().min(1),
  Spec: z.object({ Role: z.string().optional(), Availability: z.string().optional() }).optional(),
  Description: z.object({ Hostname: z.string().optional() }).optional(),
  Status: z.object({ State: z.string() }),
});

export type SwarmTask = Readonly<z.infer<typeof task>>;
export type SwarmService = Readonly<z.infer<typeof service>>;
export type SwarmNode = Readonly<z.infer<typeof node>>;

/** @throws Error when it is no list of tasks */
export const tasksIn = (answer: unknown): readonly SwarmTask[] => read("tasks", z.array(task), answer);

/** @throws Error when it is no list of services */
export const servicesIn = (answer: unknown): readonly SwarmService[] => read("services", z.array(service), answer);

/** @throws Error when it is no list of nodes */
export const nodesIn = (answer: unknown): readonly SwarmNode[] => read("nodes", z.array(node), answer);

function read<Answer>(what: string, schema: z.ZodType<Answer>, answer: unknown): Answer {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`the manager's /${what} is no list of ${what}: ${issue?.path.join(".") || "it"}: ${issue?.message}`);
}
