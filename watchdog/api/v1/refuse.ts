// Answers with a problem document, as RFC 9457 has it.

import type { Response } from "express";
import { type ApiProblem, PROBLEM_TYPE, problemDocument } from "./contract/problems.ts";

const CHALLENGES: Readonly<Partial<Record<ApiProblem["problem"], string>>> = {
  "no-token": 'Bearer realm="evenkeel"',
  "wrong-token": 'Bearer realm="evenkeel", error="invalid_token"',
};

export function refuse(response: Response, problem: ApiProblem): void {
  const document = problemDocument(problem, response.req.originalUrl.split("?", 1)[0] as string);
  const challenge = CHALLENGES[problem.problem];
  if (challenge !== undefined) response.set("WWW-Authenticate", challenge);
  response.status(document.status).set("Cache-Control", "no-store").type(PROBLEM_TYPE).json(document);
}
