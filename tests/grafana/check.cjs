// What Grafana itself makes of the generated dashboards: what each tile displays, and whether the JSON has its types.
// Run: npm install && npm run check
"use strict";
globalThis.navigator = { language: "en", languages: ["en"] };
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { firstValueFrom } = require("rxjs");
const grafana = require("@grafana/data");
globalThis.window = {}; // only now: its libraries look for a browser when they load

const board = JSON.parse(fs.readFileSync(path.join(__dirname, "../../dashboards/generated/today.json"), "utf8"));
const [index, smile, asked, age, days, outcomes] = board.panels;
const filters = ["filterFieldsByNameTransformer", "filterFieldsTransformer"].map((n) => grafana.standardTransformers[n]);
grafana.standardTransformersRegistry.setInit(() => filters.map((t) => ({ id: t.id, name: t.name, transformation: async () => t })));
const properties = ["displayName", "unit", "decimals", "noValue", "color", "thresholds", "mappings"];
grafana.standardFieldConfigEditorRegistry.setInit(() =>
  properties.map((id) => ({ id, path: id, name: id, process: (value) => value, shouldApply: () => true })),
);

function frame(refId, columns) {
  const type = (name) => (name === "Time" ? grafana.FieldType.time : grafana.FieldType.number);
  const fields = Object.entries(columns).map(([name, value]) => ({ name, type: type(name), values: [value], config: {} }));
  return grafana.toDataFrame({ refId, fields });
}

async function shown(panel, frames) {
  const common = { fieldConfig: panel.fieldConfig, replaceVariables: (text) => text, theme: grafana.createTheme(), timeZone: "utc" };
  const fieldConfigRegistry = grafana.standardFieldConfigEditorRegistry;
  const changed = await firstValueFrom(grafana.transformDataFrame(panel.transformations ?? [], frames));
  const data = grafana.applyFieldOverrides({ ...common, data: changed, fieldConfigRegistry });
  const values = grafana.getFieldDisplayValues({ ...common, data, reduceOptions: panel.options.reduceOptions });
  return values.map(({ display }) => [display.title ?? "", grafana.formattedValueToString(display)]);
}

async function displays() {
  const emonps = frame("A", { Time: 0, EmoNPS: 26.8, "EmoNPS low": 17.9, "EmoNPS high": 35.1 });
  assert.deepEqual(await shown(index, [emonps]), [["🙂 EmoNPS", "27"], ["at least (95 %)", "18"], ["at most (95 %)", "35"]]);
  for (const panel of [index, smile, asked, age, outcomes]) assert.deepEqual(await shown(panel, []), [["", "–"]]);
  const counts = [frame("A", { Time: 0, asked: 9, answered: 5, silent: 4 }), frame("B", { Time: 0, coverage: 0.7 })];
  const words = [["👋 asked", "9"], ["answered", "5"], ["🤐 silent", "4"], ["emotion seen at top ratings", "70%"]];
  assert.deepEqual(await shown(asked, counts), words);
  const ago = (minutes) => Date.now() - minutes * 60_000;
  const news = [frame("A", { Time: ago(180), score: 1 }), frame("B", { Time: ago(1), gaps: 0 })];
  assert.deepEqual(await shown(age, news), [["customer asked", "3 hours ago"], ["sign of life", "a minute ago"]]);
}

function ranges() {
  assert.ok(grafana.dateMath.isValid(board.time.from));
  assert.equal(grafana.rangeUtil.describeTextRange(days.timeFrom).display, "Last 30 days");
}

const TYPES = `
type Plain<T> = T extends string ? \`\${T}\` : T extends number ? (number extends T ? number : \`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;`;

function types() {
  const options = { stat: "stat", bargauge: "bargauge", timeseries: "timeseries" };
  const raw = (kind) => `../@grafana/schema/dist/types/raw/composable/${options[kind]}/panelcfg/x/types.gen`;
  const lines = ['import type { Dashboard, Panel } from "@grafana/schema";', TYPES];
  lines.push(`const board = ${JSON.stringify({ ...board, panels: [] })} satisfies Plain<Dashboard>;`);
  for (const [at, panel] of board.panels.entries()) {
    lines.push(`import type { Options as Options${at} } from "${raw(panel.type)}";`);
    lines.push(`const panel${at} = ${JSON.stringify(panel)} satisfies Plain<Panel>;`);
    lines.push(`const options${at} = ${JSON.stringify(panel.options)} satisfies Plain<Partial<Options${at}>>;`);
  }
  const folder = path.join(__dirname, "node_modules/.checked");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "today.ts"), lines.join("\n"));
}

displays().then(ranges).then(types);
