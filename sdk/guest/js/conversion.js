// A component of two functions: upstream changes what a device says into what the cloud expects,
// downstream the other way.
//
//   export const { lifecycle, transformer } = conversion({ upstream, downstream });
import { last } from 'hpmq:broker/history@0.1.0';

// What becomes of a message.
export const keep = () => ({ tag: 'keep' });
export const drop = () => ({ tag: 'drop' });

// change sends messages in its place: {topic, payload}, both as they came if left out. QoS and
// retain stay.
export const change = (...messages) => ({ tag: 'replace', val: messages });

// conversion makes the two functions a component. Each is given the topic, the payload, the last
// payload that was delivered under the topic on this listener (undefined for none) and a context:
// clientId, username, tenant, listener, of the sender upstream, of the receiver downstream.
export function conversion({
  upstream = keep, downstream = keep, upstreamTopics = ['#'], downstreamTopics = ['#'],
}) {
  const asked = (convert) => (who, message) => {
    const { clientId, username, tenant, listener } = who;
    const { topic, payload } = message;
    const context = { clientId, username, tenant, listener };
    const previous = last(topic) ?? undefined; // null in QuickJS
    const answer = convert(topic, payload, previous, context);
    if (answer.tag !== 'replace') return answer;
    return { tag: 'replace', val: answer.val.map((changed) => ({ ...message, ...changed })) };
  };
  return {
    lifecycle: { configure: () => ({ inbound: upstreamTopics, outbound: downstreamTopics }) },
    transformer: { upstream: asked(upstream), downstream: asked(downstream) },
  };
}

// text and bytes are for payloads of UTF-8: QuickJS has neither TextDecoder nor TextEncoder.
export const text = (payload) => decodeURIComponent(
  Array.from(payload, (byte) => '%' + byte.toString(16).padStart(2, '0')).join(''));

export const bytes = (string) => Uint8Array.from(
  encodeURIComponent(string).match(/%..|[^]/g) ?? [],
  (unit) => (unit.length === 1 ? unit.charCodeAt(0) : parseInt(unit.slice(1), 16)));
