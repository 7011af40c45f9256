// A container as it would be of another image, on documents made by hand: what was the old image's is left to the new one, and what
// somebody has given stays. What the engine makes of it is in test/docker/roll.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspected } from "../../watchdog/engines/docker/containers/document.ts";
import { type ImageDocument, ofImage } from "../../watchdog/engines/docker/twin/new-image.ts";
import { inspected } from "../tools/docker/inspected.ts";

type Changes = Readonly<Record<string, unknown>>;
const IMAGE = "com.docker.compose.image";
const WAS = "sha256:was";

const image = (Id: string, Config: Changes, RepoDigests: readonly string[] = []): ImageDocument => ({
  Id,
  Config,
  RepoDigests,
});
const defaults = {
  ...{ Env: ["PATH=/bin", "NODE=20"], Cmd: ["node"], Entrypoint: ["entry.sh"], User: "node", WorkingDir: "/app" },
  ...{ Labels: { maker: "one", version: "1" }, ExposedPorts: { "80/tcp": {} }, Volumes: { "/data": {} } },
  Healthcheck: { Test: ["CMD", "check"] },
};

function container(config: Changes, label = WAS): Inspected {
  const made = inspected();
  const Labels = { ...(config.Labels as Changes), [IMAGE]: label };
  return { ...made, Image: WAS, Config: { Image: "app:latest", ...config, Labels } as Inspected["Config"] };
}

const configOf = (given: Inspected, was = image(WAS, defaults), is = image("sha256:is", {})): Changes => {
  const { Image: _image, ...config } = ofImage(given, was, is)?.Config ?? {};
  return config;
};

test("what is the old image's is left out, and the label names the new one", () => {
  const config = configOf(container(defaults));
  assert.deepEqual(config, { Env: [], Labels: { [IMAGE]: "sha256:is" }, ExposedPorts: {}, Volumes: {} });
  assert.equal(ofImage(container(defaults), image(WAS, defaults), image("sha256:is", {}))?.Image, "sha256:is");
});

test("what somebody has given stays", () => {
  const given = {
    ...{ Env: ["PATH=/bin", "NODE=22", "A=1"], Cmd: ["other"], User: "0", WorkingDir: "/", StopSignal: "SIGINT" },
    ...{ Labels: { maker: "me", version: "1", "evenkeel.port": "80" }, ExposedPorts: { "80/tcp": {}, "81/tcp": {} } },
    ...{ Entrypoint: ["entry.sh"], Healthcheck: { Test: ["NONE"] } },
  };
  const { Labels, ...config } = configOf(container(given));
  assert.deepEqual(config, {
    ...{ Env: ["NODE=22", "A=1"], Cmd: ["other"], User: "0", WorkingDir: "/", StopSignal: "SIGINT" },
    ...{ ExposedPorts: { "81/tcp": {} }, Healthcheck: { Test: ["NONE"] } },
  });
  assert.deepEqual(Labels, { maker: "me", "evenkeel.port": "80", [IMAGE]: "sha256:is" });
});

test("with an entry point of one's own the command stays, also where it is the old image's", () => {
  const { Entrypoint, Cmd } = configOf(container({ ...defaults, Entrypoint: ["mine"] }));
  assert.deepEqual([Entrypoint, Cmd], [["mine"], ["node"]]);
});

test("Compose's own labels stay, though an image that it has built may carry them", () => {
  const label = { "com.docker.compose.service": "app" };
  const { Labels } = configOf(container({ Labels: label }), image(WAS, { Labels: label }));
  assert.deepEqual(Labels, { ...label, [IMAGE]: "sha256:is" });
});

test("a label that is a digest of the repository becomes the new image's digest there, and any other is unknown", () => {
  const was = image(WAS, {}, ["other@sha256:x", "app@sha256:d1"]);
  const is = image("sha256:is", {}, ["other@sha256:y", "app@sha256:d2"]);
  const { Labels } = configOf(container({}, "sha256:d1"), was, is);
  assert.deepEqual(Labels, { [IMAGE]: "sha256:d2" });
  assert.equal(ofImage(container({}, "sha256:d3"), was, is), undefined);
  assert.equal(ofImage(container({}, "sha256:d1"), was, image("sha256:is", {})), undefined);
});
