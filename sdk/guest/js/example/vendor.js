// A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.
import { bytes, change, conversion, drop, keep, text } from '../conversion.js';

function upstream(topic, payload, previous, from) {
  const [, name, value] = /^([^=]*)=([^]*)$/.exec(text(payload)) ?? [];
  if (name === undefined) return keep();
  const json = `{${JSON.stringify(name)}:${value},"by":${JSON.stringify(from.clientId)}}`;
  if (previous !== undefined && text(previous) === json) return drop(); // nothing new
  return change({ payload: bytes(json) });
}

function downstream(topic, payload) {
  const [, value] = /^\{"set":([^]*)\}$/.exec(text(payload)) ?? [];
  return value === undefined ? keep() : change({ payload: bytes(`set=${value}`) });
}

export const { lifecycle, transformer } = conversion({
  upstream, downstream, upstreamTopics: ['meter/+/up'], downstreamTopics: ['meter/+/down'],
});
