// A process of its own, to be run as another user: tries to connect to the Docker socket named on the command line and
// prints how that was refused, as one line of JSON.

import { connect } from "../../../watchdog/engines/docker/connection.ts";

const failure = await connect(process.argv[2] as string).then(
  () => undefined,
  (error: Error & { exitCode?: number }) => ({ exitCode: error.exitCode, message: error.message }),
);
process.stdout.write(JSON.stringify(failure ?? {}));
