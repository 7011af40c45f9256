// Pure. What doctor finds on a Swarm: (look) -> findings, each with the docker line to type where it is Swarm's to do.

import type { SwarmService, SwarmTask } from "../../engines/swarm/answers.ts";
import { bareNameOf, knownService } from "../../engines/swarm/services.ts";
import { type Finding, fault, findingsOf, type Problem, warning } from "./finding.ts";
import type { SwarmLook } from "./look-swarm.ts";

type Reached = Extract<SwarmLook, { kind: "reached" }>;

const FAILED = new Set(["failed", "rejected", "orphaned"]);
const SHOWN_MAX = 120;

export function swarmFindings(look: SwarmLook): Finding[] {
  if (look.kind === "refused") {
    const [what = "", ...fix] = look.line.split(": ");
    return findingsOf("swarm", "", [fault(what, fix.join(": "))]);
  }
  const { stack } = look;
  return [
    ...findingsOf("swarm", `a manager, Docker ${look.version}, API ${look.api}`, []),
    ...findingsOf("nodes", `${look.nodes.length} are ready and take tasks`, nodeProblems(look)),
    ...(stack === undefined ? findingsOf("stack", "", [NO_STACK]) : stackFindings(look, stack)),
  ];
}

const NO_STACK = fault(
  "we are part of no stack",
  "run it in the watchdog's container: docker exec WATCHDOG node watchdogctl.js doctor; or set STACK",
);

function nodeProblems({ nodes }: Reached): Problem[] {
  const managers = nodes.filter(({ Spec }) => Spec?.Role === "manager");
  const even =
    managers.length === 2
      ? [warning("there are two managers: with either, the Swarm is without one", "make it three: docker node promote")]
      : [];
  return nodes
    .flatMap(({ ID, Description, Status, Spec }): Problem[] => {
      const name = Description?.Hostname || ID;
      if (Status.State !== "ready")
        return [
          warning(
            `${name} is ${Status.State}`,
            `see its engine; if it is gone for good: docker node rm --force ${name}`,
          ),
        ];
      if ((Spec?.Availability ?? "active") === "active") return [];
      const fix = `docker node update --availability active ${name}; nothing moves back by itself`;
      return [warning(`${name} takes no tasks: its availability is ${Spec?.Availability}`, fix)];
    })
    .concat(even);
}

interface Looked {
  readonly full: string;
  readonly name: string;
  readonly service: SwarmService;
  readonly tasks: readonly SwarmTask[];
}

function stackFindings({ services, tasks }: Reached, stack: string): Finding[] {
  const kinds = services.map((service) => ({ service, is: knownService(service, stack).is }));
  const members = kinds.filter(({ is }) => is.kind === "member");
  const looked = services.map((service): Looked => {
    const full = service.Spec.Name;
    const own = tasks.filter(({ ServiceID }) => ServiceID === service.ID);
    return { full, name: bareNameOf(full, stack), service, tasks: own };
  });
  const faulty = kinds.flatMap(({ service, is }) =>
    is.kind === "faulty" ? is.faults.map((what) => labelFault(bareNameOf(service.Spec.Name, stack), what)) : [],
  );
  const none = fault(`no service of ${stack} takes requests`, "give yours evenkeel.port under deploy.labels");
  const lacking = members.length === 0 && faulty.length === 0 ? [none] : [];
  return [
    ...findingsOf("labels", `${members.length} services take requests`, [...faulty, ...lacking]),
    ...findingsOf("tasks", "all that are to run do", looked.flatMap(taskProblems)),
    ...findingsOf("updates", "none stands still", looked.flatMap(updateProblems)),
  ];
}

/** What is told of a label ends with what to do. */
function labelFault(name: string, what: string): Problem {
  const [told = what, ...fix] = what.split(/: (?=[a-z ]+ under deploy\.labels|set )/);
  return fault(
    `${name}: ${told}`,
    `${fix.join(": ") || "mend it in the stack's file"}; then docker stack deploy again`,
  );
}

/** What waits has Swarm's reason; of those that failed, the last one's stands for all. */
function taskProblems({ full, name, tasks }: Looked): Problem[] {
  const waiting = tasks.find(
    ({ DesiredState, Status }) => DesiredState === "running" && Status.State !== "running" && Status.Err,
  );
  const failed = tasks.filter(({ Status }) => FAILED.has(Status.State));
  const last = [...failed].sort((one, other) => one.CreatedAt.localeCompare(other.CreatedAt)).at(-1);
  const look = `docker service ps --no-trunc ${full}`;
  return [
    ...(waiting ? [warning(`${name}: a task is ${waiting.Status.State}: ${reasonOf(waiting)}`, look)] : []),
    ...(last
      ? [
          warning(
            `${name}: ${failed.length} of its last tasks failed: ${reasonOf(last)}`,
            `${look}; docker service logs ${full}`,
          ),
        ]
      : []),
  ];
}

const reasonOf = ({ Status }: SwarmTask) => (Status.Err || "no reason is told").slice(0, SHOWN_MAX);

function updateProblems({ full, name, service }: Looked): Problem[] {
  const { State = "", Message = "" } = service.UpdateStatus ?? {};
  const why = Message === "" ? "" : `: ${Message.slice(0, SHOWN_MAX)}`;
  if (State === "paused" || State === "rollback_paused")
    return [
      fault(
        `${name}: its update stands still${why}`,
        `docker service update --force ${full}, or back: docker service rollback ${full}`,
      ),
    ];
  if (State === "rollback_completed")
    return [warning(`${name}: its update was rolled back${why}`, `docker service ps --no-trunc ${full}`)];
  if (State === "updating" || State === "rollback_started")
    return [warning(`${name}: it is being updated${why}`, `docker service ps ${full}`)];
  return [];
}
