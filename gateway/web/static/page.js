// Shows /api/today, pushed by /api/live. Text only ever goes in as text: nothing a device sends becomes markup.
"use strict";

// Signs that plain fonts have, too: a kiosk without an emoji font must not show boxes.
const RATING = { top: "😀 top", middle: "😐 middle", low: "😞 low", silent: "😶 no answer" };
const CONTACT = {
  loyal: "♥ loyal", passive: "☺ passive", unknown: "? unknown", critic: "⚠ critic",
  silent: "○ silent", cancelled: "✕ cancelled",
};
const ASKED_BY = { keyfob: "keyfob", phrase: "by phrase", prompt: "prompted" };
const FLAG = {
  frustration: "pressed again and again", late: "late", ambiguous: "two faces", closed: "outside opening hours",
};
const PRESS = {
  asked: "asked", spontaneous: "spontaneous", mash: "played with", closed: "outside hours", test: "test",
  untrusted: "time unknown (ever)",
};
const STALE_MS = 15000;

let day = null;
let heardAt = 0;
let shown = new Set();

const figure = (name, text) => h("b", { "data-figure": name }, text);
const big = (name, text) => h("b", { "data-figure": name, class: "big" }, text);
const p = (...children) => h("p", {}, ...children);
const fill = (id, ...children) => at(id).replaceChildren(...children.filter((child) => child !== null));

const percent = (share) => (share === null ? "–" : `${whole(100 * share)} %`);
const span = (low, high) => (low === null ? "" : ` (${whole(100 * low)} to ${percent(high)})`);
const seconds = (number) => `${number.toFixed(1)} s`;
const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

function chosen() {
  const point = decodeURIComponent(location.hash.slice(1));
  return point !== "" && Object.hasOwn(day.indices, point) ? point : "all";
}

function render() {
  const point = chosen();
  const indices = day.indices[point];
  document.title = `EmoBox · ${day.site}`;
  at("site").textContent = day.site;
  at("date").textContent = day.date;
  renderAlarm();
  renderPoints(point);
  renderIndex(indices);
  renderSmile(indices);
  renderAsked(indices);
  renderCue();
  renderFlow();
  renderContacts(point);
  renderDevices();
  renderSinks();
  renderQuarantine();
}

function renderAlarm() {
  at("alarm").hidden = day.connected;
  fill("alarm", day.connected ? null : figure("broker",
    "⚠ The broker (MQTT) does not answer: no press arrives, devices keep them until it is back. " +
    "What to do: emobox doctor"));
}

function renderPoints(point) {
  const names = Object.keys(day.indices).filter((name) => name !== "all");
  if (names.length < 2) return fill("points");
  fill("points", ...["all", ...names].map((name) => {
    const pressed = String(name === point);
    const button = h("button", { type: "button", "aria-pressed": pressed }, name === "all" ? "all points" : name);
    button.addEventListener("click", () => { location.hash = name === "all" ? "" : encodeURIComponent(name); });
    return button;
  }));
}

function renderIndex(x) {
  const base = x.published === "base_nps" || (x.published === "none" && !day.camera_on);
  const [title, value] = base ? ["BaseNPS", x.base_nps] : ["EmoNPS", x.emonps];
  at("index").className = `tile ${verdict(x)}`;
  fill("index",
    h("h2", {}, h("span", { "data-figure": "name" }, title), ` · ${base ? "ratings alone" : "ratings and smiles"}`),
    big(base ? "base_nps" : "emonps", signed(value)),
    x.published === "none" ? missing("missing", x.missing, "customer asked", "customers asked") : interval(x),
    x.published === "none" ? null : p(WORDS[verdict(x)]),
    x.few_data ? p(h("span", { class: "mark", "data-figure": "few_data" }, "⚠ few data: under 30")) : null,
    x.flagged ? p("⚠ up to ", figure("upper", signed(x.upper)), " if all unseen had smiled") : null,
    why(x, base));
}

const WORDS = {
  top: "😀 clearly more happy than unhappy", middle: "😐 no clear lead either way", low: "😞 clearly more unhappy than happy",
};

function verdict(x) {
  if (x.published === "none") return "none";
  return x.low > 0 ? "top" : x.high < 0 ? "low" : "middle";
}

function interval(x) {
  return p("95 %: ", figure("low", signed(x.low)), " to ", figure("high", signed(x.high)));
}

function missing(name, n, one, many) {
  if (n === 0) return p("not shown: with the total it would tell of fewer than ten customers elsewhere");
  return p("too few data: ", figure(name, String(n)), ` more ${n === 1 ? one : many} needed`);
}

function why(x, base) {
  if (!day.camera_on) return p("camera off: ", h("span", { "data-figure": "why_off" }, day.why_off));
  if (x.published === "none") return null;
  const seen = h("span", {}, "smile known at ", figure("coverage", percent(x.coverage)), " of tops");
  return p(seen, base ? " – too few for EmoNPS" : "");
}

function renderSmile(x) {
  const known = x.smile_index !== null;
  fill("smile",
    h("h2", {}, "Smile-Index · time smiling"),
    big("smile_index", known ? `${whole(x.smile_index)} %` : "–"),
    known
      ? p("95 %: ", figure("smile_low", whole(x.smile_low)), " to ", figure("smile_high", `${whole(x.smile_high)} %`))
      : day.camera_on ? missing("smile_missing", x.smile_missing, "customer seen", "customers seen") : p("the camera is off"),
    p("seen: ", figure("known", String(x.known)), " of ", figure("seen_of", String(x.n)), " (",
      figure("smile_coverage", percent(x.smile_coverage)), ")"),
    known ? p("smiled clearly: ", figure("smile_rate", percent(x.smile_rate)), span(x.rate_low, x.rate_high), correctedOf(x)) : null);
}

// What people saw on ribbon cards tells how often the model errs here: the share that it would be without.
function correctedOf(x) {
  if (x.corrected_rate === null) return "";
  return h("span", {}, " raw · ", figure("corrected_rate", percent(x.corrected_rate)), span(x.corrected_low, x.corrected_high), ` corrected, ${x.cards} cards`);
}

function renderAsked(x) {
  const line = (name) => [h("b", { "data-figure": name }, String(x[name])), h("span", {}, CONTACT[name])];
  fill("asked",
    h("h2", {}, "Customers asked"),
    big("n", String(x.n)),
    p("answered: ", figure("response_rate", percent(x.response_rate)), span(x.response_low, x.response_high), " · silent: ", figure("silent", String(x.silent))),
    h("div", { class: "split split-wide" }, ...["loyal", "passive", "unknown", "critic"].flatMap(line)));
}

function renderCue() {
  const cue = day.cue;
  at("cue").className = `tile ${cue === null || cue.rating === "silent" ? "none" : cue.rating}`;
  if (cue === null) return fill("cue", h("h2", {}, "What to say"), p("Nobody has been asked yet today."));
  return fill("cue",
    h("h2", {}, `What to say · ${cue.time} · ${cue.point}`),
    h("p", { class: "say", "data-figure": "cue" }, cue.say),
    p("last answer: ", figure("cue_rating", RATING[cue.rating])));
}

function renderFlow() {
  const press = day.last_press;
  const contact = day.contacts[0];
  const pressed = press === null ? "none yet" : `${press.time} ${RATING[press.rating]} · ${press.device}`;
  const steps = [
    h("li", {}, "press ", figure("press", pressed)),
    day.full
      ? h("li", { class: "wait" }, "journal ", figure("full", day.full))
      : h("li", {}, "journal ", figure("events", String(day.events)), " events safe"),
    h("li", {}, "contact ", figure("contact", contact ? `${contact.time} ${CONTACT[contact.outcome]}` : "none yet")),
    ...day.sinks.map((sink) => h("li", { class: sink.waiting ? "wait" : "" }, `${sink.name} `, figure(`sink-${sink.name}`, behind(sink)))),
  ];
  fill("flow", ...steps);
}

function behind(sink) {
  if (sink.waiting) return `⚠ waits, ${sink.behind} kept safe`;
  return sink.behind === 0 ? "✓ has everything" : `… ${sink.behind} on the way`;
}

function renderContacts(point) {
  const counts = Object.entries(day.presses).filter(([, n]) => n > 0);
  at("presses").textContent = counts.length === 0 ? "" : `· presses: ${counts.map(([state, n]) => `${n} ${PRESS[state]}`).join(", ")}`;
  const rows = day.contacts.filter((contact) => point === "all" || contact.point === point);
  fill("contacts", ...rows.map(contactRow));
  shown = new Set(day.contacts.map((contact) => contact.id));
}

function contactRow(contact) {
  const fresh = shown.size > 0 && !shown.has(contact.id) ? { class: "fresh" } : {};
  const flags = contact.flags.map((flag) => FLAG[flag] ?? flag).join(", ");
  const asked = `${contact.point}${contact.asked_by === "keyfob" ? "" : `, ${ASKED_BY[contact.asked_by] ?? contact.asked_by}`}`;
  return h("tr", { "data-contact": contact.id, ...fresh },
    h("td", {}, h("b", {}, contact.time)),
    h("td", {}, asked),
    h("td", {}, answerOf(contact)),
    h("td", {}, smileOf(contact)),
    h("td", {}, CONTACT[contact.outcome], flags ? h("small", {}, ` ${flags}`) : ""),
    h("td", {}, storedOf(contact)));
}

function answerOf(contact) {
  if (contact.rating !== null) return `${RATING[contact.rating]}, ${contact.via}, ${seconds(contact.answer_s)}`;
  return contact.outcome === "silent" ? RATING.silent : "–";
}

function smileOf(contact) {
  if (contact.outcome === "cancelled") return "–";
  if (contact.smile_share === null) return "not seen";
  return `${percent(contact.smile_share)} of ${seconds(contact.valid_s)}${contact.positive ? " 😀" : ""}`;
}

function storedOf(contact) {
  const missing = Object.entries(contact.stored).filter(([, there]) => !there).map(([sink]) => sink);
  return missing.length === 0 ? "✓" : `… ${missing.join(", ")}`;
}

function renderDevices() {
  fill("devices", ...day.devices.map((device) => {
    const unsaid = device.heard === null ? "? not heard of" : `? last heard ${device.heard}`;
    const state = device.online === null ? unsaid : device.online ? "✓ online" : "✕ offline";
    return h("li", {},
      h("span", device.online === false ? { class: "bad" } : {}, state),
      ` · ${device.name} · ${device.kind}, ${device.point}${device.test ? ", test mode" : ""}`,
      device.lens ? h("span", { "data-figure": `lens-${device.name}` }, ` · ${device.lens}`) : null,
      h("span", { class: "do" }, healthOf(device)),
      device.sound === null ? null : soundOf(device));
  }));
}

// A bar from −80 dB to 0 dB beside the word, so that "too quiet" can be seen to get better.
function soundOf(device) {
  const sound = device.sound;
  const bad = sound.level !== "fine";
  const meter = h("meter", { min: "-80", max: "0", value: String(sound.level_db), title: `${sound.level_db} dB` });
  const parts = [`${sound.clipped > 0 ? `, ${(100 * sound.clipped).toFixed(2)} % cut off` : ""}`];
  parts.push(` · last phrase ${sound.heard ?? "not yet"}`);
  if (sound.lost_s > 0) parts.push(` · ${sound.lost_s.toFixed(1)} s of sound lost`);
  if (sound.restarts > 0) parts.push(` · card opened again ${plural(sound.restarts, "time", "times")}`);
  if (sound.undecided > 0) parts.push(` · ${plural(sound.undecided, "answer", "answers")} contradicted itself`);
  return h("span", { class: "do" }, "sound ", meter, " ",
    h("span", { ...(bad ? { class: "bad" } : {}), "data-figure": `sound-${device.name}` }, sound.level),
    ...parts, sound.do ? h("span", { class: "do" }, `→ ${sound.do}`) : "");
}

function healthOf(device) {
  const { battery_mv: battery, rssi, queued, dropped } = device.health;
  const parts = device.seen === null ? [] : [`health at ${device.seen.slice(0, 5)}`];
  if (typeof battery === "number") parts.push(`battery ${(battery / 1000).toFixed(2)} V`);
  if (typeof rssi === "number") parts.push(`radio ${rssi} dBm`);
  if (queued > 0) parts.push(`${queued} waiting on the device`);
  if (dropped > 0) parts.push(`${dropped} dropped`);
  if (device.gaps > 0) parts.push(`⚠ ${plural(device.gaps, "event", "events")} never arrived`);
  return parts.join(" · ");
}

function renderSinks() {
  const rows = day.sinks.map((sink) => h("li", {},
    `${sink.name}: `, h("span", sink.waiting ? { class: "bad" } : {}, behind(sink)),
    sink.rejected > 0 ? h("span", { class: "bad" }, ` · ${plural(sink.rejected, "record", "records")} refused`) : null,
    sink.waiting ? h("span", { class: "do" }, sink.waiting) : null));
  fill("sinks", ...rows, rows.length === 0 ? h("li", {}, "none set up: all is kept in the journal") : null);
}

function renderQuarantine() {
  const { counts, last } = day.quarantine;
  fill("quarantine",
    ...counts.map((one) => h("li", {},
      figure(`quarantine-${one.reason}`, String(one.count)), ` × ${one.means} (${one.reason})`,
      h("span", { class: "do" }, `→ ${one.do}`))),
    counts.length === 0 ? h("li", {}, "✓ none: every message was an event") : null,
    h("li", {}, "sent twice, counted once: ", figure("duplicates", String(day.duplicates)),
      " · never arrived: ", figure("gaps", String(day.gaps))));
  fill("examples", ...last.map((one) => h("li", {}, h("span", { class: "do" }, `${one.time} ${one.topic}: ${one.reason}`))));
}

function take(text) {
  day = JSON.parse(text);
  heardAt = Date.now();
  render();
  renderLink();
}

function renderLink() {
  const stale = heardAt === 0 || Date.now() - heardAt > STALE_MS;
  at("link").className = stale ? "stale" : "";
  if (day === null) at("link").textContent = "⚠ no figures yet: is the hub running?";
  else at("link").textContent = stale ? `⚠ no connection – figures of ${day.time}` : `● live · ${day.time}`;
}

async function start() {
  const answer = await fetch("/api/today", { cache: "no-store" });
  if (answer.ok) take(await answer.text());
}

function follow() {
  new Worker("/live.js").onmessage = (message) => take(message.data);
  setInterval(renderLink, 1000);
}

addEventListener("hashchange", () => day !== null && render());
start().catch(() => renderLink()).finally(follow);
