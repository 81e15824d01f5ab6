// The role hpmq:broker/authorizer: who may do what.
import "./exports/authorizer";
import { Handler as Any, Identity, QoS } from "./index";
import * as lifecycle from "./lifecycle";

/** What a client wants to do, or have done to it. */
export enum Action { Publish, Subscribe, Will, Deliver }

/** How far an answer holds, so that the host need not ask again. */
export enum Scope {
  /** This one question. */
  Once,
  /** This client, this action, this very topic or filter. */
  Topic,
  /** This client and this action, whatever the topic. */
  Action,
}

/** The reason code of a plain refusal. */
export const NOT_AUTHORIZED: u32 = 0x87;

/** Lets the client do it; seconds 0 is for as long as this version is linked. */
export function allow(scope: Scope, seconds: u32): u32 { return pack(0, scope, seconds); }

/** Refuses with an MQTT 5 reason code of 0x80 or more. */
export function deny(reason: u32, scope: Scope, seconds: u32): u32 {
  return pack(reason | 0x80, scope, seconds);
}

/** Leaves it to the next authorizer of the chain; the end of the chain denies. */
export function next(): u32 { return 1; }

function pack(decision: u32, scope: Scope, seconds: u32): u32 {
  return decision | <u32>scope << 8 | min(seconds, (1 << 22) - 1) << 10;
}

/** Answers the role. */
export interface Handler extends Any {
  /** Judges one action; topic is a filter for Subscribe. Answers allow, deny or next. */
  authorize(who: Identity, action: Action, topic: string, qos: QoS): u32;
}

let handler: Handler | null = null;

/** Makes h answer the role. */
export function serve(h: Handler): void {
  handler = h;
  lifecycle.serve(h);
}

/** What was given to serve. */
export function served(): Handler { return handler!; }
