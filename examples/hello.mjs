// Hello from JavaScript, with the npm client `@clasp-to/core` and a router that is running:
//
//   clasp-router &
//   make interop-setup && node examples/hello.mjs [ws://127.0.0.1:7330]

import { createRequire } from 'node:module';

// The client and its WebSocket are installed beside the interop tests; in a project of yours, import them.
const require = createRequire(new URL('../tests/interop/package.json', import.meta.url));
const { Clasp } = require('@clasp-to/core');
globalThis.WebSocket ??= require('ws');
console.debug = () => {};

const url = process.argv[2] ?? 'ws://127.0.0.1:7330';
const desk = await Clasp.builder(url).withName('desk').connect();
const lamp = await Clasp.builder(url).withName('lamp').connect();

// Resolves when the lamp has heard of an address with this value.
const heard = (wanted, expected) =>
  new Promise((resolve) => {
    const cancel = lamp.subscribe('/hello/**', (value, address) => {
      if (address !== wanted || JSON.stringify(value) !== JSON.stringify(expected)) return;
      console.log(`${address} = ${JSON.stringify(value)}`);
      cancel();
      resolve();
    });
  });

// A param is there also for who subscribes later.
desk.set('/hello/level', 0.5);
await heard('/hello/level', 0.5);
console.log(`level is ${await desk.get('/hello/level')}`);

// An event is only for who listens when it comes: the GET is answered when the SUBSCRIBE before it has been taken.
const cue = heard('/hello/cue', { go: true });
desk.set('/hello/ready', true);
await desk.get('/hello/ready');
await lamp.get('/hello/ready');
desk.emit('/hello/cue', { go: true });
await cue;

desk.close();
lamp.close();
