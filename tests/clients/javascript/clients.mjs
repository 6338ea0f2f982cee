// One business for each client library: how it is told where Meta is, and how it takes webhooks.

import * as kapsoClient from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { WhatsAppAPI } from "whatsapp-api-js/middleware/node-http";
import * as messages from "whatsapp-api-js/messages";
import { Heard } from "./heard.mjs";

/** @kapso/whatsapp-cloud-api: takes the base URL itself. */
export function kapso({ token, app_secret, verify_token, version }) {
  const heard = new Heard();
  let client;
  async function receive(request) {
    if (request.method === "GET") {
      const query = new URL(request.url, "http://here").searchParams;
      const known = query.get("hub.verify_token") === verify_token;
      return known ? [200, query.get("hub.challenge")] : [403, ""];
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const rawBody = Buffer.concat(chunks);
    const signatureHeader = request.headers["x-hub-signature-256"];
    if (!verifySignature({ appSecret: app_secret, rawBody, signatureHeader })) return [401, ""];
    const told = normalizeWebhook(JSON.parse(rawBody.toString("utf8")));
    for (const message of told.messages) heard.note("message", { ...message, contact: told.contacts[0] });
    for (const status of told.statuses) heard.note("status", status);
    for (const [field, values] of Object.entries(told.raw)) {
      if (field !== "messages") for (const value of values) heard.note(field, value);
    }
    return [200, ""];
  }
  return {
    exported: kapsoClient,
    heard,
    receive,
    client: () => client,
    connect(baseUrl) {
      client = new kapsoClient.WhatsAppClient({ accessToken: token, baseUrl, graphVersion: version });
    },
  };
}

/** whatsapp-api-js: takes the `fetch` it shall use. */
export function waj({ token, app_secret, verify_token, version }) {
  const heard = new Heard();
  let meta;
  const client = new WhatsAppAPI({
    token,
    appSecret: app_secret,
    webhookVerifyToken: verify_token,
    v: version,
    ponyfill: { fetch: (url, options) => fetch(String(url).replace("https://graph.facebook.com", meta), options) },
  });
  client.on.message = ({ message, contact, phoneID }) => {
    heard.note("message", { ...message, contact, phoneID });
  };
  client.on.status = ({ id, status, error, pricing, contact, biz_opaque_callback_data }) => {
    heard.note("status", { id, status, error, pricing, contact, biz_opaque_callback_data });
  };
  async function receive(request) {
    if (request.method === "POST") return [await client.handle_post(request), ""];
    try {
      return [200, client.handle_get(request)];
    } catch (status) {
      return [status, ""];
    }
  }
  return {
    exported: messages,
    heard,
    receive,
    client: () => client,
    connect(baseUrl) {
      meta = baseUrl;
    },
  };
}
