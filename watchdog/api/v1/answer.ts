// Pure. What an operation answers with, where it is not refused; and how those parts that take orders say no, as a problem.

import type { OrderAnswer } from "../order-routes.ts";
import type { ApiProblem } from "./contract/problems.ts";

export interface OperationAnswer {
  readonly status: 200 | 202;
  readonly body: object;
  /** Where what has begun is followed. */
  readonly location?: string;
}

export const found = (body: object): OperationAnswer => ({ status: 200, body });

export const notFound = (detail: string): ApiProblem => ({ problem: "not-found", detail });

/** @returns undefined: it was taken */
export function refusalOf(answer: OrderAnswer): ApiProblem | undefined {
  if (answer.ok) return undefined;
  return { problem: answer.status === 404 ? "not-found" : "conflict", detail: answer.reason };
}
