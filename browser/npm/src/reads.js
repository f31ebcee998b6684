// What a replica answers at once, from memory.

import { Core, asText, call, json, text, written } from "./core.js";

export class Reads {
  #ask;

  /** `ask` gives the core to an act, as long as it may be asked. */
  constructor(ask) {
    this.#ask = (act) => call(() => ask(act));
  }

  #read(read, request) {
    return this.#ask((core) => core.read(written({ ...request, read })));
  }

  resolve(level, id, options = {}) {
    return json(this.#read("resolve", { ...options, level, id }));
  }

  resolveBytes(level, id, { path, at } = {}) {
    if (path === undefined && at === undefined) return this.#ask((core) => core.view(asText(level), asText(id)));
    const view = this.#read("resolve", { level, id, at });
    const whole = call(() => Core.part(view, "/data"));
    return path === undefined ? whole : call(() => Core.part(whole, asText(path)));
  }

  resolveText(level, id, options) {
    return text(this.resolveBytes(level, id, options));
  }

  explain(level, id, options) {
    return this.resolve(level, id, { ...options, explain: true });
  }

  get(level, id, options) {
    return JSON.parse(this.getText(level, id, options));
  }

  getText(level, id, options) {
    return text(this.#read("get", { ...options, level, id }));
  }

  has(level, id) {
    try {
      this.get(level, id);
      return true;
    } catch (error) {
      if (error.code === "not-found") return false;
      throw error;
    }
  }

  list(filter = {}) {
    if (filter.limit !== undefined) return json(this.#read("list", filter));
    const all = { items: [], next_cursor: filter.cursor ?? null };
    do {
      const page = json(this.#read("list", { ...filter, limit: 200, cursor: all.next_cursor }));
      all.items.push(...page.items);
      all.next_cursor = page.next_cursor;
    } while (all.next_cursor !== null);
    return all;
  }

  children(level, id) {
    const below = { global: "project", project: "branch", branch: "task" }[level];
    return below ? this.list({ level: below, parent: id }).items : [];
  }

  history(level, id, options) {
    return JSON.parse(this.historyText(level, id, options));
  }

  historyText(level, id, options) {
    return text(this.#read("history", { ...options, level, id }));
  }

  diff(level, id, options) {
    return JSON.parse(this.diffText(level, id, options));
  }

  diffText(level, id, options) {
    return text(this.#read("diff", { ...options, level, id }));
  }

  viewDiff(level, id, options) {
    return JSON.parse(this.viewDiffText(level, id, options));
  }

  viewDiffText(level, id, options) {
    return text(this.#read("view-diff", { ...options, level, id }));
  }

  insights(level, id, options) {
    return json(this.#read("insights", { ...options, level, id }));
  }

  progress(level, id, options) {
    return json(this.#read("progress", { ...options, level, id }));
  }

  preview(level, id, trial) {
    return JSON.parse(this.previewText(level, id, trial));
  }

  previewText(level, id, trial) {
    return text(this.#ask((core) => core.preview(asText(level), asText(id), written(trial), Date.now())));
  }
}
