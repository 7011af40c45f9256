// Pure. Where the filtered sockets are, inside the watchdog's container: the guardian makes them there, and the command lines that
// are run in the container find them there.

export const SOCKETS = "/tmp/evenkeel";

export const watchdogSocket = (directory: string = SOCKETS) => `${directory}/engine.sock`;
export const chaosSocket = (directory: string = SOCKETS) => `${directory}/chaos.sock`;
