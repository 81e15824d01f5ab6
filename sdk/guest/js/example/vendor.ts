// vendor.js in TypeScript.
import { bytes, change, conversion, drop, keep, text, type Convert } from '../conversion.js';

const upstream: Convert = (topic, payload, previous, from) => {
  const [, name, value] = /^([^=]*)=([^]*)$/.exec(text(payload)) ?? [];
  if (name === undefined) return keep();
  const json = `{${JSON.stringify(name)}:${value},"by":${JSON.stringify(from.clientId)}}`;
  if (previous !== undefined && text(previous) === json) return drop(); // nothing new
  return change({ payload: bytes(json) });
};

const downstream: Convert = (topic, payload) => {
  const [, value] = /^\{"set":([^]*)\}$/.exec(text(payload)) ?? [];
  return value === undefined ? keep() : change({ payload: bytes(`set=${value}`) });
};

export const { lifecycle, transformer } = conversion({
  upstream, downstream, upstreamTopics: ['meter/+/up'], downstreamTopics: ['meter/+/down'],
});
