// A refused write as a draft: what it wanted, put into the editor in which it is written anew.

import type { PendingWrite, Replica } from "@nacre/context";

import type { Address } from "./address";
import { draftOf, keepDraft, placeOf } from "./drafts";
import { type Members, type Value, at, isObject, isRounded, names, print } from "./json";
import { attempt, layerOf } from "./reading";
import { asValue, wishesOf } from "./refusals";

/** Where a refused write can be edited: in a tab of its context, or in a dialog. */
export type Editor = "layer" | "notes" | "dialog";

/** The editor for a refused write; `undefined` if there is nothing to edit. */
export function editorOf(replica: Replica, write: PendingWrite): Editor | undefined {
  const { action, level, id, operation } = write;
  if (!operation || action === "restore") return undefined;
  const there = replica.has(level, id);
  if (action === "add_insight" || action === "add_progress") return there ? "notes" : undefined;
  if (action === "move" || action === "delete") return there ? "dialog" : undefined;
  if (there) return "layer";
  return action === "rollback" ? undefined : "dialog";
}

/** Whether the write holds integers that are rounded here, so that an edit would change them. */
export const isInexact = ({ operation }: PendingWrite): boolean =>
  wishesOf(operation).some(({ value }) => isRounded(value));

/** The place of the draft that a write is edited as. */
const draftPlace = (replica: Replica, { action, level, id }: PendingWrite, editor: Editor): string =>
  placeOf(
    replica.user,
    { level, id },
    editor === "layer" ? "layer" : `note ${action === "add_insight" ? "insight" : "progress"}`,
  );

/** Another draft in that place, which would be lost. */
export function wouldLose(replica: Replica, write: PendingWrite, editor: Editor): boolean {
  if (editor === "dialog") return false;
  const draft = draftOf<{ instead?: string }>(draftPlace(replica, write, editor));
  return draft !== undefined && draft.instead !== write.key;
}

/** Makes the draft of a write that is edited in a tab, unless it is there already. */
export function makeDraft(replica: Replica, write: PendingWrite, editor: Editor): void {
  if (editor === "dialog" || !write.operation) return;
  const place = draftPlace(replica, write, editor);
  if (draftOf<{ instead?: string }>(place)?.instead === write.key) return;
  const { content = "", category = "", importance = "", summary = "" } = write.operation;
  if (editor === "notes") {
    keepDraft(place, { content, category, importance: String(importance), instead: write.key });
    return;
  }
  const base = layerOf(replica, write);
  const { data, rules } = layerAfter(replica, write, base);
  const draft = { base, data: print(data), rules: print(rules), summary, clashes: [], instead: write.key };
  keepDraft(place, draft, true);
}

/** The layer that the write wanted. */
function layerAfter(replica: Replica, write: PendingWrite, base: { data: Members; rules: unknown }) {
  const { action, version, rules = {} } = write.operation ?? {};
  if (action === "rollback" && version !== undefined) {
    return attempt(() => layerOf(replica, write as Address, { version })).value ?? base;
  }
  const data = dataAfter(write, base.data);
  return { data, rules: action === "put" || action === "create" ? rules : base.rules };
}

/** The data of a layer after the write. */
export function dataAfter({ operation }: PendingWrite, before: Members): Members {
  return wishesOf(operation).reduce((data, { pointer, how, value }) => {
    const held = at(data, pointer);
    const items = how === "append" ? [held ?? [], asValue(value)].flat() : undefined;
    // In a layer null hides what is inherited.
    const after = put(data, names(pointer), items ?? (how === "hide" ? null : value), how === "add");
    return isObject(after) ? after : data;
  }, before);
}

/** A value with another one at a path, or with none; `adds` puts it between the items of a list. What
 * is missing above it is made. */
function put(whole: Value | undefined, path: string[], value: Value | undefined, adds: boolean): Value | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(whole)) {
    const place = name === "-" ? whole.length : Number(name);
    const inner = put(whole[place], rest, value, adds);
    return whole.toSpliced(place, adds && rest.length === 0 ? 0 : 1, ...(inner === undefined ? [] : [inner]));
  }
  if (!isObject(whole) && value === undefined) return whole;
  const members = { ...(isObject(whole) ? whole : {}) };
  const inner = put(members[name], rest, value, adds);
  if (inner === undefined) delete members[name];
  else members[name] = inner;
  return members;
}
