// Keyboard navigation in a tree, by the ARIA practices: one tab stop; up and down between visible
// rows, right and left to open and close, Home and End to the first and last row.

/** A row of a tree, with what keyboard navigation needs. */
export interface Row {
  key: string;
  depth: number;
  /** `undefined` if the row has no parts. */
  open?: boolean | undefined;
}

/** The action of a key; `undefined` if the key has none in a tree. */
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

/** The row that has the focus. */
export function pressedOn(event: KeyboardEvent): string {
  return event.target instanceof HTMLElement ? (event.target.dataset["key"] ?? "") : "";
}

/** A visible row. */
export function rowOf(tree: HTMLElement | null, key: string): HTMLElement | null | undefined {
  return tree?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

/** Moves the focus to a visible row. */
export function focusRow(tree: HTMLElement | null, key: string): void {
  rowOf(tree, key)?.focus();
}
