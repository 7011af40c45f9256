// A balancer or a proxy in several processes: this one takes no traffic. It keeps the workers, and is the member to the outside: it
// says where they listen, answers the admin port for all of them, and drains them.

import { type Context, live } from "../runtime/lifecycle.ts";
import type { MetricValues } from "./messages.ts";
import { WorkerPool } from "./pool.ts";
import { WorkerMetrics } from "./worker-metrics.ts";

/** Runs the workers until told to stop, then drains them. @throws StartupFailure when they cannot listen */
export async function startWorkers(context: Context): Promise<void> {
  const { settings, log } = context;
  const isProxy = settings.ROLE === "proxy";
  const onEnded = (last: MetricValues | undefined) => void metrics.bury(last);
  const pool = new WorkerPool({ workers: settings.WORKERS, anyPort: settings.PORT === 0, log, onEnded });
  const metrics = new WorkerMetrics(() => pool.up);
  const sum = async () => metrics.sum(await pool.metrics());
  await live(
    {
      traffic: { listen: () => pool.listen(), drain: pool },
      metrics: {
        contentType: metrics.own.contentType,
        metrics: async () => (await sum()).metrics(),
        getMetricsAsJSON: async () => (await sum()).getMetricsAsJSON(),
      },
      routed: isProxy,
      link: isProxy && settings.LINK === "yes",
      ready: () => pool.ready(),
    },
    context,
  );
}
