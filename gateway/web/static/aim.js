// Shows what /aim/live pushes. Text only ever goes in as text.
"use strict";

const UNIT = { size: " px", turn: "°", light: " of 255", sharpness: "" };
const STALE_MS = 4000;
let heardAt = 0;

function oval(x, y, sign) {
  const cell = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const shape = { x, y, width: 1.05, height: 1.05, fill: sign === "#" ? "#0072b2" : "#9a9a9a" };
  for (const [name, value] of Object.entries(shape)) cell.setAttribute(name, value);
  return cell;
}

function row(check) {
  const value = check.name === "face" ? "" : ` ${check.value}${UNIT[check.name] ?? ""}`;
  return h("li", { class: check.ok ? "good" : "bad", "data-check": check.name },
    h("b", {}, `${check.ok ? "✓" : "✕"} ${check.name}${value}`), ...(check.hint ? [h("span", {}, check.hint)] : []));
}

function take(text) {
  const sight = JSON.parse(text);
  heardAt = Date.now();
  const cells = sight.silhouette.flatMap((line, y) => [...line].map((sign, x) => [x, y, sign]));
  at("shape").replaceChildren(...cells.filter((cell) => cell[2] !== ".").map((cell) => oval(...cell)));
  at("checks").replaceChildren(...sight.checks.map(row));
  if (sight.checks.length === 0) return;
  at("verdict").className = sight.verdict ? "good" : "bad";
  at("verdict").textContent = sight.verdict ? "✓ well aimed" : sight.ok ? "… hold still" : "✕ not yet";
}

function stale() {
  if (Date.now() - heardAt < STALE_MS) return;
  at("verdict").className = "";
  at("verdict").textContent = "⚠ nothing from the camera: is `emobox aim --page` still running?";
}

async function start() {
  const answer = await fetch("/aim/now", { cache: "no-store" });
  if (answer.ok) take(await answer.text());
}

function follow() {
  new Worker("/aim_live.js").onmessage = (message) => take(message.data);
  setInterval(stale, 1000);
}

start().catch(stale).finally(follow);
