// Moving about in a tree with the keyboard, by the ARIA practices: one stop for Tab; up and down
// between rows that show, right and left into and out of what has parts, Home and End to the ends.

/** A row of a tree, as the keys need it. */
export interface Row {
  key: string;
  depth: number;
  /** `undefined`: has no parts. */
  open?: boolean | undefined;
}

/** What a key asks for; `undefined`: nothing that concerns a tree. */
export type Move = { to: string } | { toggle: string } | { choose: string } | undefined;

export function move(pressed: string, rows: readonly Row[], focused: string): Move {
  const at = Math.max(
    0,
    rows.findIndex(({ key }) => key === focused),
  );
  const row = rows[at];
  if (!row) return undefined;
  const go = (index: number): Move => {
    const found = rows[index];
    return found ? { to: found.key } : undefined;
  };
  switch (pressed) {
    case "ArrowDown":
      return go(at + 1);
    case "ArrowUp":
      return go(at - 1);
    case "Home":
      return go(0);
    case "End":
      return go(rows.length - 1);
    case "ArrowRight":
      if (row.open === false) return { toggle: row.key };
      return row.open ? go(at + 1) : undefined;
    case "ArrowLeft":
      if (row.open) return { toggle: row.key };
      return go(rows.findLastIndex(({ depth }, index) => index < at && depth < row.depth));
    case "Enter":
    case " ":
      return { choose: row.key };
    default:
      return undefined;
  }
}

/** The row that a key was pressed on. */
export function pressedOn(event: KeyboardEvent): string {
  return event.target instanceof HTMLElement ? (event.target.dataset["key"] ?? "") : "";
}

/** A row that shows. */
export function rowOf(tree: HTMLElement | null, key: string): HTMLElement | null | undefined {
  return tree?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

/** Gives the focus to a row that shows. */
export function focusRow(tree: HTMLElement | null, key: string): void {
  rowOf(tree, key)?.focus();
}
