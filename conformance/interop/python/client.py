"""Python's paho, driven line by line: a request is a line of JSON on standard input, an answer or a
message that came is one on standard output. The test's remote_test.go is the other side."""

import json
import queue
import sys
import threading
import urllib.parse

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5": mqtt.MQTTv5}

output = threading.Lock()
clients = {}


def say(line):
    with output:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Client:
    """One client. Its network loop is a thread of paho; requests wait for what that thread hears."""

    def __init__(self, r):
        self.name, self.v5, self.patience = r["client"], r["version"] == "5", r["patience"] / 1000
        self.connacks, self.subacks, self.published = queue.Queue(), {}, {}
        self.changed = threading.Condition()
        url = urllib.parse.urlsplit(r["url"])
        web = url.scheme in ("ws", "wss")
        self.c = mqtt.Client(
            client_id=r["id"],
            clean_session=None if self.v5 else not r.get("keep"),
            protocol=VERSIONS[r["version"]],
            transport="websockets" if web else "tcp",
            reconnect_on_failure=False,
        )
        if web:
            self.c.ws_set_options(path=url.path)
        if url.scheme in ("tls", "wss"):
            self.c.tls_set(ca_certs=r["ca"])
        self.c.on_connect = lambda c, data, flags, rc, properties=None: self.connacks.put(rc)
        self.c.on_subscribe = self.on_subscribe
        self.c.on_publish = self.on_publish
        self.c.on_message = self.on_message
        if r.get("will"):
            self.will(r["will"])
        self.connect(url, r.get("keep", 0))

    def properties(self, packet, pairs=()):
        """Properties of a packet, None before MQTT 5."""
        if not self.v5:
            return None
        p = Properties(packet)
        if pairs:
            p.UserProperty = [tuple(pair) for pair in pairs]
        return p

    def will(self, w):
        p = self.properties(PacketTypes.WILLMESSAGE, w.get("properties") or ())
        if self.v5:
            p.WillDelayInterval = w["delay"]
        self.c.will_set(w["topic"], w["payload"], w["qos"], w["retained"], properties=p)

    def connect(self, url, keep):
        more = {}
        if self.v5:
            more = {"clean_start": not keep, "properties": self.properties(PacketTypes.CONNECT)}
            more["properties"].SessionExpiryInterval = keep
        self.c.connect_timeout = self.patience
        self.c.connect(url.hostname, url.port, **more)
        self.c.loop_start()
        rc = self.connacks.get(timeout=self.patience)
        if rc != 0:
            raise RuntimeError(f"CONNACK: {rc}")

    def on_subscribe(self, c, data, mid, granted, properties=None):
        with self.changed:
            first = granted[0]
            self.subacks[mid] = getattr(first, "value", first)
            self.changed.notify_all()

    def on_publish(self, c, data, mid):
        with self.changed:
            self.published[mid] = True
            self.changed.notify_all()

    def on_message(self, c, data, m):
        p = getattr(m, "properties", None)
        say({
            "client": self.name,
            "message": {
                "topic": m.topic,
                "payload": m.payload.decode(),
                "qos": m.qos,
                "retained": bool(m.retain),
                "properties": getattr(p, "UserProperty", []),
            },
        })

    def wait(self, where, mid):
        with self.changed:
            if not self.changed.wait_for(lambda: mid in where, self.patience):
                raise TimeoutError("no answer of the broker")
            return where.pop(mid)

    def subscribe(self, r):
        rc, mid = self.c.subscribe(r["filter"], r["qos"])
        if rc != mqtt.MQTT_ERR_SUCCESS:
            raise RuntimeError(mqtt.error_string(rc))
        return {"granted": self.wait(self.subacks, mid)}

    def publish(self, r):
        m = r["message"]
        p = self.properties(PacketTypes.PUBLISH, m.get("properties") or ())
        info = self.c.publish(m["topic"], m["payload"], m["qos"], m["retained"], properties=p)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise RuntimeError(mqtt.error_string(info.rc))
        self.wait(self.published, info.mid)
        return {}

    def close(self, r):
        self.c.disconnect()
        self.c.loop_stop()
        return {}


def answer(r):
    try:
        if r["op"] == "dial":
            clients[r["client"]] = Client(r)
            more = {}
        else:
            more = getattr(clients[r["client"]], r["op"])(r)
        if r["op"] == "close":
            del clients[r["client"]]
    except Exception as e:  # whatever it is, the test says it
        more = {"error": f"{type(e).__name__}: {e}"}
    say({"number": r["number"], **more})


for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
