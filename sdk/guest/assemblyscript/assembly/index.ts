// The words that all roles share: who is on the other side, what goes by, what the component wants
// to be asked about. The roles are in the files beside this one, one each, and so are the
// capabilities; what a component does not import its .wasm does not have.

/** Quality of service of a message. */
export enum QoS { AtMostOnce, AtLeastOnce, ExactlyOnce }

/** Who is on the other side of a connection, as the authenticator left it. */
export class Identity {
  constructor(
    public clientId: string,
    /** Empty when the client gave none. */
    public username: string,
    /** Remote address without the port. */
    public address: string,
    /** Name of the listener the connection came in by. */
    public listener: string,
    /** Empty unless an authenticator set one. */
    public tenant: string,
  ) {}
}

/** An application message on its way through the broker. */
export class Message {
  constructor(
    public topic: string,
    public payload: Uint8Array,
    public qos: QoS = QoS.AtMostOnce,
    public retain: bool = false,
  ) {}
}

/** The topic filters a component wants to be asked about; "#" alone is every topic. */
export class Interest {
  constructor(
    /** For messages on their way in, for subscriptions and for wills. */
    public inbound: string[],
    /** For messages on their way out. */
    public outbound: string[] = [],
  ) {}
}

/** What configure answers: an interest, or a text for the operator. */
export class Configured {
  private constructor(public interest: Interest, public error: string | null) {}
  static ok(interest: Interest): Configured { return new Configured(interest, null); }
  static fail(text: string): Configured { return new Configured(new Interest([]), text); }
}

/** What every role's handler begins with. */
export interface Handler {
  /** Reads the configuration, JSON text. */
  configure(config: string): Configured;
}
