// MQTT.js, driven line by line: a request is a line of JSON on standard input, an answer or a
// message that came is one on standard output. The test's remote_test.go is the other side.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import mqtt from 'mqtt'

const protocols = { '3.1': ['MQIsdp', 3], '3.1.1': ['MQTT', 4], 5: ['MQTT', 5] }
const clients = new Map()

function say (line) { process.stdout.write(JSON.stringify(line) + '\n') }

// pairs makes [[name, value], …] of an object whose values may be lists.
function pairs (properties = {}) {
  return Object.entries(properties).flatMap(([name, v]) => [v].flat().map(value => [name, value]))
}

// object is the inverse of pairs.
function object (list = []) {
  const properties = {}
  for (const [name, value] of list) properties[name] = (properties[name] ?? []).concat(value)
  return properties
}

function options (r) {
  const [protocolId, protocolVersion] = protocols[r.version]
  const o = {
    protocolId,
    protocolVersion,
    clientId: r.id,
    clean: !r.keep,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: r.patience
  }
  if (r.ca) o.ca = readFileSync(r.ca)
  const v5 = r.version === '5'
  if (v5 && r.keep) o.properties = { sessionExpiryInterval: r.keep }
  if (r.will) {
    const { topic, payload, qos, retained, delay } = r.will
    o.will = { topic, payload, qos, retain: retained }
    if (v5) {
      o.will.properties = {
        willDelayInterval: delay,
        userProperties: object(r.will.properties)
      }
    }
  }
  return o
}

function dial (r, done) {
  const client = mqtt.connect(r.url, options(r))
  clients.set(r.client, client)
  client.on('message', (topic, payload, p) => say({
    client: r.client,
    message: {
      topic,
      payload: payload.toString(),
      qos: p.qos,
      retained: p.retain,
      properties: pairs(p.properties?.userProperties)
    }
  }))
  client.once('connect', () => done())
  client.on('error', done)
}

function publish (client, { topic, payload, qos, retained, properties }, done) {
  const o = { qos, retain: retained }
  if (properties) o.properties = { userProperties: object(properties) }
  client.publish(topic, payload, o, done)
}

function close (r, client, done) {
  clients.delete(r.client)
  client.end(!client.connected, {}, () => done())
}

const operations = {
  dial,
  subscribe (r, done) {
    clients.get(r.client).subscribe(r.filter, { qos: r.qos }, (err, granted) => {
      done(err, { granted: granted?.[0]?.qos })
    })
  },
  publish (r, done) { publish(clients.get(r.client), r.message, done) },
  close (r, done) { close(r, clients.get(r.client), done) }
}

createInterface({ input: process.stdin }).on('line', line => {
  const r = JSON.parse(line)
  let answered = false
  const done = (err, more = {}) => {
    if (answered) return
    answered = true
    say({ number: r.number, error: err ? String(err) : undefined, ...more })
  }
  try {
    operations[r.op](r, (err, more) => done(err, err ? {} : more))
  } catch (err) {
    done(err)
  }
}).on('close', () => process.exit())
