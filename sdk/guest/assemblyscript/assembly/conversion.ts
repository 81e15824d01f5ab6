// A component of two functions: upstream changes what a device says into what the cloud expects,
// downstream the other way.
import * as history from "./history";
import { Configured, Identity, Interest, Message } from "./index";
import * as transformer from "./transformer";
import { Outcome } from "./transformer";

/** Whose message it is: upstream the sender's, downstream the receiver's. */
export class Context {
  constructor(
    public clientId: string,
    /** Empty when the client gave none. */
    public username: string,
    /** Empty unless an authenticator set one. */
    public tenant: string,
    /** Name of the listener the client came in by. */
    public listener: string,
  ) {}
}

/** What becomes of a message; QoS and retain stay. */
export class Result {
  private constructor(public tag: u8, public messages: Message[]) {}
  static keep(): Result { return new Result(0, []); }
  static drop(): Result { return new Result(1, []); }
  /** Sends one message in its place. */
  static change(topic: string, payload: Uint8Array): Result {
    return new Result(2, [new Message(topic, payload)]);
  }
  /** Sends one more. */
  and(topic: string, payload: Uint8Array): Result {
    this.messages.push(new Message(topic, payload));
    return this;
  }
}

/** previous is the last payload delivered under the topic on this listener, null for none. */
export type Convert = (
  topic: string, payload: Uint8Array, previous: Uint8Array | null, context: Context) => Result;

class Handler implements transformer.Handler {
  constructor(
    private up: Convert, private down: Convert, private upTopics: string[],
    private downTopics: string[],
  ) {}

  configure(config: string): Configured {
    return Configured.ok(new Interest(this.upTopics, this.downTopics));
  }
  upstream(who: Identity, m: Message): Outcome { return ask(this.up, who, m); }
  downstream(who: Identity, m: Message): Outcome { return ask(this.down, who, m); }
}

function ask(convert: Convert, who: Identity, m: Message): Outcome {
  const context = new Context(who.clientId, who.username, who.tenant, who.listener);
  const result = convert(m.topic, m.payload, history.last(m.topic), context);
  if (result.tag == 0) return Outcome.keep();
  if (result.tag == 1) return Outcome.drop();
  for (let i = 0; i < result.messages.length; i++) {
    result.messages[i].qos = m.qos;
    result.messages[i].retain = m.retain;
  }
  return Outcome.replace(result.messages);
}

/** Makes the two functions the component, asked about topics that match the filters. */
export function serve(
  upstream: Convert, downstream: Convert, upstreamTopics: string[] = ["#"],
  downstreamTopics: string[] = ["#"],
): void {
  transformer.serve(new Handler(upstream, downstream, upstreamTopics, downstreamTopics));
}
