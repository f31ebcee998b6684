// Characters that cannot be seen: controls, marks that turn the direction of text, characters of no
// width. They could make a name look like another one, so they are shown as escapes.

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}]/gu;

/** Scripts whose letters join, or do not, by a character of no width. */
const JOINING = [
  ..."Arabic Bengali Devanagari Gujarati Gurmukhi Kannada Khmer Malayalam Mongolian Myanmar".split(" "),
  ..."Nko Oriya Sinhala Syriac Tamil Telugu Tibetan".split(" "),
]
  .map((script) => `\\p{Script=${script}}`)
  .join("");

/** Where a hidden character belongs: what is before it, itself, what is behind it. */
const PROPER = [
  [new RegExp(`[${JOINING}]$`, "u"), /\u{200C}|\u{200D}/u, new RegExp(`^[${JOINING}]`, "u")],
  [/\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\u{FE0F})?$/u, /\u{200D}/u, /^\p{Extended_Pictographic}/u],
  [/\p{Extended_Pictographic}$/u, /\u{FE0E}|\u{FE0F}/u, /^/],
  [/[#*0-9]$/, /\u{FE0F}/u, /^\u{20E3}/u],
  [/\p{Script=Han}$/u, /[\u{FE00}-\u{FE02}\u{E0100}-\u{E01EF}]/u, /^/],
] as const;

/** How far to look for what is before and behind: three characters, which may be pairs. */
const NEAR = 6;

/** Text and its hidden characters, in order; every second piece is a hidden character. */
export function pieces(text: string, isShown: (character: string) => boolean = () => false): string[] {
  const all: string[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    const next = index + found.length;
    if (isShown(found) || isProper(text, found, index)) continue;
    all.push(text.slice(end, index), found);
    end = next;
  }
  all.push(text.slice(end));
  return all;
}

function isProper(text: string, found: string, index: number): boolean {
  if (found < "\u{a0}") return false; // controls are most of what is found
  const before = text.slice(Math.max(0, index - NEAR), index);
  const behind = text.slice(index + found.length, index + found.length + NEAR);
  return PROPER.some(([left, self, right]) => self.test(found) && left.test(before) && right.test(behind));
}

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A hidden character as an escape. */
export const escapeOf = (character: string): string => {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return SHORT[character] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`);
};

/** Text in which hidden characters are escapes; for titles and other places that only take text. */
export const visible = (text: string): string =>
  pieces(text)
    .map((piece, at) => (at % 2 === 0 ? piece : escapeOf(piece)))
    .join("");

export const hidesSomething = (text: string): boolean =>
  pieces(text, (character) => character === "\n" || character === "\t").length > 1;

/** JSON text in which hidden characters are escapes. It says the same. */
export const visibleJson = (json: string): string =>
  pieces(json, (character) => character === "\n") // between values; within one it is an escape already
    .map((piece, at) => (at % 2 === 0 ? piece : jsonEscapeOf(piece)))
    .join("");

const jsonEscapeOf = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
