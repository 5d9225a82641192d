// Drives the official Improv SDK over a TCP connection that stands for a Web Serial port.
//
//   node client.mjs PORT '[["info"], ["scan"], ["provision", "SSID", "PASSWORD"]]'
//
// Prints what each step came to as a line of JSON.

import { register } from "node:module";
import net from "node:net";
import { Duplex } from "node:stream";

register("./sdk_hooks.mjs", import.meta.url);
const { ImprovSerial } = await import("improv-wifi-serial-sdk/dist/serial.js");

const [port, steps] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const socket = net.connect(port, "127.0.0.1");
const { readable, writable } = Duplex.toWeb(socket);
const problems = [];
const logger = { log() {}, debug() {}, error: (...words) => problems.push(words.join(" ")) };
const client = new ImprovSerial({ readable, writable }, logger);

const actions = {
  info: async () => ({ info: await client.initialize(1500) }),
  scan: async () => ({ networks: await client.scan() }),
  state: async () => (await client.requestCurrentState(), {}),
  network: async () => ({ network: await client.requestNetworkState() }),
  hostname: async () => ({ hostname: await client.getHostname() }),
  provision: async (ssid, password) => (await client.provision(ssid, password, 45000), {}),
};

for (const [name, ...values] of steps) {
  const told = await actions[name](...values).catch((error) => ({ refused: String(error) }));
  console.log(JSON.stringify({ step: name, ...told, state: client.state, url: client.nextUrl, error: client.error, problems }));
}
await client.close();
socket.destroy();
