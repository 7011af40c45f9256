// A client of the API in TypeScript, made as a user would make it: types out of the API's document, and a program that uses them.

import { join } from "node:path";
import { root } from "./docs.ts";
import { must, type Said, say } from "./process/programs.ts";

const STRICTLY = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023"];

const program = (name: string) => join(root, "node_modules/.bin", name);

/** @param document a file's name or an URL @param types the file to write */
export async function generateTypes(directory: string, document: string, types: string): Promise<void> {
  await must(program("openapi-typescript"), [document, "--output", types], { cwd: directory });
}

/** @param globals the package whose types the program may use without an import */
export function compileClient(directory: string, client: string, globals = ""): Promise<Said> {
  return say(program("tsc"), [...STRICTLY, "--types", globals, client], { cwd: directory });
}
