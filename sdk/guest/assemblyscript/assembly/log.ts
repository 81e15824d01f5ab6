// The capability hpmq:broker/log: lines in the broker's log, rate-limited by the host.

export enum Level { Debug, Info, Warn, Error }

@external("hpmq:broker/log@0.1.0", "write")
declare function hostWrite(level: u32, text: string, units: usize): void;

export function write(level: Level, text: string): void { hostWrite(level, text, text.length); }
