// A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.
import * as conversion from "../assembly/conversion";
import { Context, Result } from "../assembly/conversion";

function upstream(
  topic: string, payload: Uint8Array, previous: Uint8Array | null, from: Context,
): Result {
  const text = String.UTF8.decode(payload.slice().buffer);
  const at = text.indexOf("=");
  if (at < 0) return Result.keep();
  const out = "{" + quoted(text.slice(0, at)) + ":" + text.slice(at + 1) +
    ',"by":' + quoted(from.clientId) + "}";
  const last = previous;
  if (last !== null && String.UTF8.decode(last.slice().buffer) == out) return Result.drop();
  return Result.change(topic, Uint8Array.wrap(String.UTF8.encode(out)));
}

function downstream(
  topic: string, payload: Uint8Array, previous: Uint8Array | null, to: Context,
): Result {
  const text = String.UTF8.decode(payload.slice().buffer);
  if (!text.startsWith('{"set":') || !text.endsWith("}")) return Result.keep();
  return Result.change(topic, Uint8Array.wrap(String.UTF8.encode("set=" + text.slice(7, -1))));
}

/** A JSON string of text without control characters. */
function quoted(text: string): string {
  return '"' + text.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + '"';
}

conversion.serve(upstream, downstream, ["meter/+/up"], ["meter/+/down"]);
