// A grid of emoji, for words and for reactions.

import { el } from "../shared/dom.js";

const EMOJI =
  "😀 😃 😄 😁 😅 😂 🙂 😉 😊 😍 😘 😎 🤔 😐 🙄 😏 😮 😴 😢 😭 😡 🤯 🥳 🤗 👍 👎 👌 ✌️ 🤞 🙏 👏 🙌 💪 👋 🤝 ✍️ ❤️ 🧡 💛 💚 💙 💜 💔 💯 🔥 ⭐ ✨ 🎉 🎂 🎁 ✅ ❌ ❓ ❗ ⏰ 📅 📎 📌 📷 🎵 ☕ 🍕 🍎 🍺 🚗 ✈️ 🏠 🌍 ☀️ 🌧️ 🐶 🐱".split(" ");

export function emojiGrid(chosen) {
  return el("div", { class: "emoji", role: "group", "aria-label": "Emoji" }, ...EMOJI.map((emoji) => el("button", { type: "button", onclick: () => chosen(emoji) }, emoji)));
}
