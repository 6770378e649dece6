// Shows /api/mine to who has the code. The code stands behind the # of the link, which no browser sends by itself.
"use strict";

const ANSWER = { top: "😀 top", middle: "😐 middle", low: "😞 low", silent: "😶 no answer" };
const TITLE = { emonps: "EmoNPS: ratings and smiles", base_nps: "BaseNPS: ratings alone" };

function refuse(why) {
  at("verdict").className = "bad";
  at("verdict").textContent = `✕ ${why}`;
  at("index").hidden = true;
  at("ratings").replaceChildren();
}

function row([answer, count]) {
  return h("li", {}, h("b", { "data-figure": answer }, String(count)), ` ${ANSWER[answer]}`);
}

function show(mine) {
  const index = mine.index;
  const published = index.published !== "none";
  at("name").textContent = mine.name;
  at("verdict").className = published ? "good" : "";
  at("verdict").textContent = published ? `${mine.asked} customers asked since ${mine.since}`
    : `${mine.asked} asked since ${mine.since}: figures from 10 on, ${mine.missing} more`;
  at("index").hidden = !published;
  if (published) {
    at("index").replaceChildren(TITLE[index.published],
      h("b", { class: "big", "data-figure": index.published }, signed(index[index.published])),
      `95 % interval ${signed(index.low)} to ${signed(index.high)}${index.few_data ? " · few data: under 30" : ""}`);
  }
  at("ratings").replaceChildren(...Object.entries(mine.ratings ?? {}).map(row));
}

async function look() {
  const code = location.hash.slice(1);
  if (code === "") return refuse("this page needs your own link: ask for it (emobox mine NAME)");
  const answer = await fetch("/api/mine", { cache: "no-store", headers: { Authorization: `Bearer ${code}` } });
  if (answer.ok) show(await answer.json());
  else refuse((await answer.json()).why);
}

const lookAgain = () => look().catch(() => refuse("the box does not answer; try again later"));
addEventListener("hashchange", lookAgain);
lookAgain();
