// The published JavaScript client, driven by JSON lines: commands on stdin, answers and events on stdout.
//
//   {"id": 1, "do": "connect", ...}  ->  {"id": 1, "result": ...} or {"id": 1, "error": "..."}
//   what a client hears              ->  {"event": "update", "client": "a", "subscription": "s", ...}
//
// Bytes travel as {"$bytes": hex}, floats that JSON lacks as {"$float": "nan"}.

import { createInterface } from 'node:readline';
import { Clasp, decodeMessage, encodeMessage, encodeMessageBinary, encodeFrame } from '@clasp-to/core';
import WebSocket from 'ws';

globalThis.WebSocket = WebSocket;
// The client logs what it hears; stdout belongs to the answers.
for (const level of ['log', 'debug', 'info', 'warn', 'error']) {
  console[level] = (...words) => say({ event: 'log', level, text: words.map(String).join(' ') });
}

const clients = new Map();

function say(line) {
  process.stdout.write(`${JSON.stringify(escaped(line))}\n`);
}

function escaped(value) {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $float: Object.is(value, -0) ? '-0.0' : String(value).replace('NaN', 'nan').replace('Infinity', 'inf') };
  }
  if (Array.isArray(value)) return value.map(escaped);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escaped(one)]));
  }
  return value;
}

function revived(value) {
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === '$bytes') return new Uint8Array(Buffer.from(value.$bytes, 'hex'));
  if (keys.length === 1 && keys[0] === '$float') return Number(value.$float.replace('nan', 'NaN').replace('inf', 'Infinity'));
  return Object.fromEntries(keys.map((key) => [key, revived(value[key])]));
}

const commands = {
  encode: ({ message }) => Buffer.from(encodeMessage(message)).toString('hex'),

  decode: ({ hex }) => decodeMessage(new Uint8Array(Buffer.from(hex, 'hex'))).message,

  async connect({ client, url, options }) {
    const clasp = new Clasp(url, options);
    clients.set(client, { clasp, subscriptions: new Map() });
    clasp.onConnect(() => say({ event: 'connected', client, session: clasp.session }));
    clasp.onDisconnect((reason) => say({ event: 'disconnected', client, reason }));
    await clasp.connect(5000);
    return clasp.session;
  },

  subscribe({ client, subscription, pattern, options }) {
    const { clasp, subscriptions } = clients.get(client);
    const cancel = clasp.subscribe(
      pattern,
      (value, address, meta) =>
        say({ event: 'update', client, subscription, address, value, revision: meta?.revision }),
      options,
    );
    subscriptions.set(subscription, cancel);
  },

  unsubscribe({ client, subscription }) {
    clients.get(client).subscriptions.get(subscription)();
  },

  // Any method of the client by its name.
  async call({ client, method, args }) {
    return await clients.get(client).clasp[method](...args);
  },

  // Any message its codec can encode, also those that its methods never send.
  send({ client, message, qos }) {
    const frame = encodeFrame(encodeMessageBinary(message), { qos: qos ?? 0 });
    clients.get(client).clasp.ws.send(frame);
  },

  // Break the connection without a goodbye, as a network does.
  break({ client }) {
    clients.get(client).clasp.ws.terminate();
  },

  state({ client }) {
    const { clasp } = clients.get(client);
    return { connected: clasp.connected, session: clasp.session, error: clasp.getLastError(), time: clasp.time() };
  },

  close({ client }) {
    clients.get(client).clasp.close();
    clients.delete(client);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = revived(JSON.parse(line));
  try {
    say({ id: command.id, result: (await commands[command.do](command)) ?? null });
  } catch (fault) {
    say({ id: command.id, error: `${fault.name}: ${fault.message}` });
  }
}
for (const { clasp } of clients.values()) clasp.close();
