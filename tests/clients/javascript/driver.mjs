// Businesses written in JavaScript with other people's clients of the Cloud API, unmodified, driven from outside:
// one JSON command a line on stdin, one JSON answer a line on stdout. It ends when stdin does.
//
//   {"do":"open","client":"kapso"}        serve a webhook         {"business":1,"url":"http://127.0.0.1:…/1"}
//   {"do":"connect","business":1,…}       tell it where Meta is   null
//   {"do":"call","business":1,"path":"messages.sendText","with":[…]}   whatever the library answers
//   {"do":"hear","business":1,"kind":"status","like":{…},"within_ms":15000}   the next update like this
//
// In arguments {"$make":"Text","with":["hi"]} is an instance, or the result, of what the library exports under
// that name; {"$bytes":"<base64>","type":"image/png"} is a Blob, {"$form":{…}} a FormData.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";
import * as clients from "./clients.mjs";

globalThis.crypto ??= webcrypto; // Node 18 keeps it to itself

const businesses = new Map();

const server = createServer(async (request, response) => {
  try {
    const business = businesses.get(Number(request.url.slice(1).split("?")[0]));
    const [status, body] = business ? await business.receive(request) : [404, ""];
    response.writeHead(status, { "Content-Type": "text/plain" }).end(body);
  } catch (problem) {
    if (!request.destroyed || request.complete) console.error(problem); // else Meta ended in the middle of a webhook
    response.writeHead(500).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const commands = {
  open({ client, ...settings }) {
    const number = businesses.size + 1;
    businesses.set(number, clients[client](settings));
    return { business: number, url: `http://127.0.0.1:${server.address().port}/${number}` };
  },
  connect: ({ business, base_url }) => businesses.get(business).connect(base_url) ?? null,
  async call({ business, path, with: given }) {
    const { client, exported } = businesses.get(business);
    const names = path.split(".");
    const last = names.pop();
    const owner = names.reduce((object, name) => object[name], client());
    return toJson(await owner[last](...fromJson(given, exported)));
  },
  hear: ({ business, kind, like, within_ms }) => businesses.get(business).heard.next(kind, like, within_ms),
};

function fromJson(value, exported) {
  if (Array.isArray(value)) return value.map((each) => fromJson(each, exported));
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return new Blob([Buffer.from(value.$bytes, "base64")], { type: value.type });
  if ("$form" in value) {
    const form = new FormData();
    for (const [name, part] of Object.entries(value.$form)) form.set(name, fromJson(part, exported));
    return form;
  }
  if ("$make" in value) {
    const maker = exported[value.$make];
    const given = fromJson(value.with, exported);
    return /^class\b/.test(Function.prototype.toString.call(maker)) ? new maker(...given) : maker(...given);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fromJson(each, exported)]));
}

async function toJson(value) {
  if (value instanceof Response) {
    const bytes = Buffer.from(await value.arrayBuffer()).toString("base64");
    return { status: value.status, type: value.headers.get("content-type"), $bytes: bytes };
  }
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("base64") };
  return value ?? null;
}

function errorAsJson(problem) {
  const told = typeof problem.toJSON === "function" ? problem.toJSON() : { ...problem };
  return { kind: problem.constructor.name, message: problem.message, ...told };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const command = JSON.parse(line);
    answer = { answer: await commands[command.do](command) };
  } catch (problem) {
    answer = { error: errorAsJson(problem) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit();
