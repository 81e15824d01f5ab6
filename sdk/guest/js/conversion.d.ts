/** What becomes of a message. */
export type Result = { tag: 'keep' } | { tag: 'drop' } | { tag: 'replace', val: Changed[] };

/** Goes on in the place of a message; topic and payload as they came if left out. */
export interface Changed { topic?: string, payload?: Uint8Array }

/** Whose message it is: upstream the sender's, downstream the receiver's. */
export interface Context {
  clientId: string,
  /** Empty when the client gave none. */
  username: string,
  /** Empty unless an authenticator set one. */
  tenant: string,
  /** Name of the listener the client came in by. */
  listener: string,
}

/** previous is the last payload that was delivered under topic on this listener. */
export type Convert = (
  topic: string, payload: Uint8Array, previous: Uint8Array | undefined, context: Context) => Result;

export function keep(): Result;
export function drop(): Result;
export function change(...messages: Changed[]): Result;

/** Makes the two functions a component. */
export function conversion(functions: {
  upstream?: Convert, downstream?: Convert, upstreamTopics?: string[], downstreamTopics?: string[],
}): {
  lifecycle: typeof import('hpmq:broker/lifecycle@0.1.0'),
  transformer: typeof import('hpmq:broker/transformer@0.1.0'),
};

/** text and bytes are for payloads of UTF-8. */
export function text(payload: Uint8Array): string;
export function bytes(text: string): Uint8Array;
