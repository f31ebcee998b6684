// The connection's states, as data: `connection/` has one case a file. Each step of a case is an
// event, the copy's state if it has changed, and what has to follow.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { next, start } from "../../browser/npm/src/connection.ts";
import { NacreError } from "../../browser/npm/src/error.ts";

const folder = join(import.meta.dirname, "connection");
const cases = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));

/** An event of a case. Its error, if it has one, becomes the class. */
const eventOf = ({ error, ...event }) => (error ? { ...event, error: new NacreError(error.code, "", error) } : event);

/** An effect as a case states it: of an error, what decides. */
function stated({ error, ...effect }) {
  if (!error) return error === undefined ? effect : { ...effect, error };
  const { code, retryAfter } = error;
  return { ...effect, error: { code, ...(retryAfter && { retryAfter }) } };
}

function frozen(value) {
  if (value instanceof Error || typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

const met = { events: new Set(), effects: new Set(), doing: new Set() };

for (const { name, copy, steps } of cases) {
  test(name, () => {
    let [state, held] = [start, copy];
    for (const [at, { when, copy: changed, now = 0, chance = 0.5, then, doing }] of steps.entries()) {
      held = { ...held, ...changed };
      const input = frozen({ event: eventOf(when), copy: held, now, chance });
      const before = frozen(state);
      const [after, effects] = next(before, input);
      assert.deepEqual(next(before, input), [after, effects], `step ${at} comes out the same twice`);
      assert.deepEqual(effects.map(stated), then, `step ${at}`);
      assert.equal(after.doing, doing, `step ${at}`);
      met.events.add(when.type);
      for (const { do: effect } of effects) met.effects.add(effect);
      met.doing.add(`${before.doing} ${when.type}`);
      state = after;
    }
  });
}

test("every event, every effect, and every end of a job occurs in a case", () => {
  const source = readFileSync(join(import.meta.dirname, "../../browser/npm/src/connection.ts"), "utf8");
  const named = (pattern) => new Set([...source.matchAll(pattern)].map(([, name]) => name));
  assert.deepEqual(named(/\| \{ type: "([^"]+)"/g).difference(met.events), new Set());
  assert.deepEqual(named(/\| \{ do: "([^"]+)"/g).difference(met.effects), new Set());
  const ends = [
    "connect connected",
    "connect polled",
    "poll polled",
    "fetch fetched",
    "send sent",
    "recall recalled",
    "advance advanced",
    "take-off taken off",
  ];
  const interrupted = [
    "advance lost",
    "send lost",
    "rest lost",
    "pause lost",
    "pause kicked",
    "pause network",
    "rest network",
    "rest timer",
  ];
  assert.deepEqual(new Set([...ends, ...interrupted]).difference(met.doing), new Set());
});
