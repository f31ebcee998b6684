// The reads of a replica, which answer at once, from memory.

import type {
  AsOf,
  Context,
  ContextPage,
  ContextSummary,
  DiffOperation,
  Edits,
  ExplainedView,
  HistoryPage,
  Insight,
  JsonText,
  Level,
  ListFilter,
  Merge,
  PageOptions,
  Preview,
  ProgressNote,
  ResolveOptions,
  Trial,
  View,
} from "../index.js";
import { type Members, asLevel, asObject, asText, wrong } from "./arguments.ts";
import { Core, call, json, text, written } from "./core.ts";
import { hasCode } from "./error.ts";

const BELOW: { readonly [level in Level]?: Level } = { global: "project", project: "branch", branch: "task" };

const VIEW: Members = { path: "", at: "" };
const EXPLAINED: Members = { ...VIEW, explain: "boolean" };
const PAGE: Members = { limit: "", cursor: "" };
const FILTER: Members = { ...PAGE, level: "", parent: "", under: "object", prefix: "", data: "boolean" };
const VERSION: Members = { version: "", at: "" };
const BETWEEN: Members = { from: "", to: "" };
const VERSIONS: Members = { from: "number", to: "" };

export class Reads {
  readonly #core: () => Core;

  /** `core` gives the core, or throws when it may not be asked any more. */
  constructor(core: () => Core) {
    this.#core = core;
  }

  #ask<T>(act: (core: Core) => T): T {
    return call(() => act(this.#core()));
  }

  #read(read: string, members: Members, options: object = {}, more: object = {}): Uint8Array {
    asObject(options, members);
    return this.#ask((core) => core.read(written({ ...options, ...more, read })));
  }

  resolve(level: Level, id: string, options?: ResolveOptions): View {
    return json(this.#read("resolve", EXPLAINED, options, { level, id }));
  }

  resolveBytes(level: Level, id: string, options: Omit<ResolveOptions, "explain"> = {}): Uint8Array {
    const { path, at } = asObject(options, VIEW);
    if (path === undefined && at === undefined) return this.#ask((core) => core.view(asLevel(level), asText(id, "id")));
    const view = this.#read("resolve", VIEW, { at }, { level, id });
    const whole = call(() => Core.part(view, "/data"));
    return path === undefined ? whole : call(() => Core.part(whole, asText(path, "path")));
  }

  resolveText(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): JsonText {
    return text(this.resolveBytes(level, id, options));
  }

  explain(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): ExplainedView {
    return json(this.#read("resolve", VIEW, options, { explain: true, level, id }));
  }

  get(level: Level, id: string, options?: { version?: number; at?: AsOf }): Context {
    return JSON.parse(this.getText(level, id, options));
  }

  getText(level: Level, id: string, options?: { version?: number; at?: AsOf }): JsonText {
    return text(this.#read("get", VERSION, options, { level, id }));
  }

  has(level: Level, id: string): boolean {
    try {
      this.get(level, id);
      return true;
    } catch (error) {
      if (hasCode(error, "not-found")) return false;
      throw error;
    }
  }

  list(filter: ListFilter = {}): ContextPage {
    if (asObject(filter, FILTER, "filter")["limit"] !== undefined) return json(this.#read("list", FILTER, filter));
    const all: ContextPage = { items: [], next_cursor: filter.cursor ?? null };
    do {
      const page: ContextPage = json(this.#read("list", FILTER, { ...filter, limit: 200, cursor: all.next_cursor }));
      all.items.push(...page.items);
      all.next_cursor = page.next_cursor;
    } while (all.next_cursor !== null);
    return all;
  }

  children(level: Level, id: string): ContextSummary[] {
    const below = BELOW[asLevel(level) as Level];
    asText(id, "id");
    return below ? this.list({ level: below, parent: id }).items : [];
  }

  history(level: Level, id: string, options?: PageOptions): HistoryPage {
    return JSON.parse(this.historyText(level, id, options));
  }

  historyText(level: Level, id: string, options?: PageOptions): JsonText {
    return text(this.#read("history", PAGE, options, { level, id }));
  }

  diff(level: Level, id: string, options: { from: number; to?: number }): { patch: DiffOperation[] } {
    return JSON.parse(this.diffText(level, id, options));
  }

  diffText(level: Level, id: string, options: { from: number; to?: number }): JsonText {
    if (options?.from === undefined) throw wrong("from", "the number of a version", undefined);
    return text(this.#read("diff", VERSIONS, options, { level, id }));
  }

  viewDiff(level: Level, id: string, options: { from: AsOf; to?: AsOf }): { patch: DiffOperation[] } {
    return JSON.parse(this.viewDiffText(level, id, options));
  }

  viewDiffText(level: Level, id: string, options: { from: AsOf; to?: AsOf }): JsonText {
    return text(this.#read("view-diff", BETWEEN, options, { level, id }));
  }

  insights(level: Level, id: string, options?: PageOptions): { items: Insight[]; next_cursor: string | null } {
    return json(this.#read("insights", PAGE, options, { level, id }));
  }

  progress(level: Level, id: string, options?: PageOptions): { items: ProgressNote[]; next_cursor: string | null } {
    return json(this.#read("progress", PAGE, options, { level, id }));
  }

  preview(level: Level, id: string, trial: Trial): Preview {
    return JSON.parse(this.previewText(level, id, trial));
  }

  previewText(level: Level, id: string, trial: Trial): JsonText {
    return text(
      this.#ask((core) => core.preview(asLevel(level), asText(id, "id"), written(trial, "trial"), Date.now())),
    );
  }

  merge(level: Level, id: string, edits: Edits): Merge {
    return JSON.parse(this.mergeText(level, id, edits));
  }

  mergeText(level: Level, id: string, edits: Edits): JsonText {
    return this.#ask((core) => core.merge(asLevel(level), asText(id, "id"), written(edits, "edits")));
  }
}
