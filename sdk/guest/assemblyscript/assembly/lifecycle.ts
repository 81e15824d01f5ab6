// The interface hpmq:broker/lifecycle, which every component exports. The roles put their handler in.
import "./exports/lifecycle";
import { Handler } from "./index";

let handler: Handler | null = null;

/** Makes h answer configure. */
export function serve(h: Handler): void { handler = h; }

/** What was given to serve. */
export function served(): Handler { return handler!; }
