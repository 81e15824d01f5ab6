// The role hpmq:broker/transformer: what becomes of a message on its way.
import "./exports/transformer";
import { Handler as Any, Identity, Message } from "./index";
import * as lifecycle from "./lifecycle";

/** What becomes of a message. */
export class Outcome {
  private constructor(public tag: u8, public messages: Message[]) {}
  /** It goes on unchanged. */
  static keep(): Outcome { return new Outcome(0, []); }
  /** Its way ends; a publisher still gets its acknowledgement. */
  static drop(): Outcome { return new Outcome(1, []); }
  /** These go on in its place. */
  static replace(messages: Message[]): Outcome { return new Outcome(2, messages); }
}

/** Answers the role. */
export interface Handler extends Any {
  /** Is asked about a message from who. */
  upstream(who: Identity, message: Message): Outcome;
  /** Is asked about a message to who. */
  downstream(who: Identity, message: Message): Outcome;
}

let handler: Handler | null = null;

/** Makes h answer the role. */
export function serve(h: Handler): void {
  handler = h;
  lifecycle.serve(h);
}

/** What was given to serve. */
export function served(): Handler { return handler!; }
