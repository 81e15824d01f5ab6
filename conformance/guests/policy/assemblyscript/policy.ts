// The policy of ../README.md in AssemblyScript: a component whose strings are UTF-16.
import * as authorizer from "../../../../sdk/guest/assemblyscript/assembly/authorizer";
import { Action, Scope } from "../../../../sdk/guest/assemblyscript/assembly/authorizer";
import { Configured, Identity, Interest, Message, QoS } from "../../../../sdk/guest/assemblyscript/assembly";
import * as transformer from "../../../../sdk/guest/assemblyscript/assembly/transformer";
import { Outcome } from "../../../../sdk/guest/assemblyscript/assembly/transformer";
import { isObject, lastIndexOf, pairs, quoted, split, temp, trimmed } from "./json";

const QUOTA_EXCEEDED: u32 = 0x97;

class Policy implements authorizer.Handler, transformer.Handler {
  configure(config: string): Configured {
    if (config.includes('"fail"')) return Configured.fail("told to fail");
    return Configured.ok(new Interest(["#"], ["#"]));
  }

  authorize(who: Identity, action: Action, topic: string, qos: QoS): u32 {
    const id = who.clientId;
    if (who.username == "admin") return authorizer.allow(Scope.Action, 300);
    if (topic.startsWith("$")) return authorizer.deny(authorizer.NOT_AUTHORIZED, Scope.Once, 0);
    if (id == "" || id.includes("/") || id.includes("+") || id.includes("#")) {
      return authorizer.deny(authorizer.NOT_AUTHORIZED, Scope.Action, 0);
    }
    if (action == Action.Will && qos == QoS.ExactlyOnce) {
      return authorizer.deny(QUOTA_EXCEEDED, Scope.Once, 0);
    }
    if (action == Action.Deliver) return authorizer.allow(Scope.Action, 0);
    if (action == Action.Subscribe) {
      const level = topic.split("/", 1)[0];
      if (level == "#" || level == "+") {
        return authorizer.deny(authorizer.NOT_AUTHORIZED, Scope.Topic, 0);
      }
      if (topic.startsWith("public/")) return authorizer.allow(Scope.Topic, 60);
    }
    if (topic.startsWith("devices/" + id + "/")) return authorizer.allow(Scope.Topic, 60);
    if (topic.startsWith("devices/")) {
      return authorizer.deny(authorizer.NOT_AUTHORIZED, Scope.Topic, 60);
    }
    return authorizer.next();
  }

  upstream(who: Identity, m: Message): Outcome {
    if (m.topic.endsWith("/secret")) return Outcome.drop();
    if (m.topic.endsWith("/raw")) {
      m.topic = m.topic.slice(0, -4) + "/json";
      m.payload = pairs(m.payload);
      return Outcome.replace([m]);
    }
    if (m.topic.endsWith("/batch") && m.topic != "/batch") return this.batch(m);
    const at = temp(m.payload);
    if (at < 0) return Outcome.keep();
    m.payload = insert(m.payload, at + 4, "erature");
    return Outcome.replace([m]);
  }

  downstream(who: Identity, m: Message): Outcome {
    const p = m.payload;
    if (!isObject(p)) return Outcome.keep();
    const last = lastIndexOf(p, 0x7D);
    const empty = trimmed(p.subarray(p.indexOf(0x7B) + 1, last)).length == 0;
    const named = (empty ? '"to":' : ',"to":') + quoted(who.clientId);
    m.payload = insert(p, last, named);
    return Outcome.replace([m]);
  }

  private batch(m: Message): Outcome {
    const p = trimmed(m.payload);
    if (p.length < 2 || p[0] != 0x5B || p[p.length - 1] != 0x5D) return Outcome.keep();
    const inside = p.subarray(1, p.length - 1);
    if (trimmed(inside).length == 0) return Outcome.drop();
    const parts = split(inside);
    if (parts === null) return Outcome.keep();
    const topic = m.topic.slice(0, -6);
    const out: Message[] = [];
    for (let i = 0; i < parts.length; i++) out.push(new Message(topic, parts[i], m.qos));
    return Outcome.replace(out);
  }
}

// insert puts text between the bytes before and from at.
function insert(bytes: Uint8Array, at: i32, text: string): Uint8Array {
  const middle = Uint8Array.wrap(String.UTF8.encode(text));
  const out = new Uint8Array(bytes.length + middle.length);
  out.set(bytes.subarray(0, at));
  out.set(middle, at);
  out.set(bytes.subarray(at), at + middle.length);
  return out;
}

const policy = new Policy();
authorizer.serve(policy);
transformer.serve(policy);
