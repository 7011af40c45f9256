// A program: one tier made of a Node library, as stacks/node-library.ts starts it. Ends with its stdin.
// Parameters: library, its path, port, policy, upstream ports.

import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";

/** As long as nginx's, so that no stack closes connections that another one keeps. */
const KEEP_ALIVE_MS = 75_000;

type Forward = (request: IncomingMessage, response: ServerResponse) => unknown;

const [library, path, port, policy, list] = process.argv.slice(2) as [string, string, string, string, string];
const targets = list.split(",").map((each) => `http://127.0.0.1:${each}`);
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
let turn = 0;

function choose(): string {
  turn += 1;
  const index = policy === "random" ? Math.floor(Math.random() * targets.length) : turn % targets.length;
  return targets[index] as string;
}

async function open(): Promise<Forward> {
  const { default: module } = await import(pathToFileURL(path).href);
  if (library === "http-proxy-middleware") {
    return module.createProxyMiddleware({ target: targets[0], router: choose, agent, xfwd: true });
  }
  const proxy = module.createProxyServer({ agent, xfwd: true });
  proxy.on("error", (_error: Error, _request: IncomingMessage, response: ServerResponse) => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  return (request, response) => proxy.web(request, response, { target: choose() });
}

const forward = await open();
const server = createServer(forward);
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4_096 });
process.stdin.once("close", () => process.exit()).resume();
