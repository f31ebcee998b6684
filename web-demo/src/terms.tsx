// The terms of sharing a project, each said in one plain sentence: to the owner, in the words of
// `docs/sharing.md`, and to the guest.

export interface Terms {
  role: "reader" | "writer";
  history: "from-share" | "all";
  reveal: boolean;
  global: boolean;
}

export interface Member extends Terms {
  user: string;
  project: string;
  /** When it was shared, as an RFC 3339 time. */
  since: string;
}

/** The terms of the server, if a request names none but the role. */
export const DEFAULT: Terms = { role: "reader", history: "from-share", reveal: false, global: true };

interface Option {
  label: string;
  /** What it means, to the owner. */
  guest: string;
  /** The same, to the guest. */
  you: string;
}

/** The options of each term, by value. */
export const OPTIONS: { readonly [Name in keyof Terms]: { label: string; options: Record<`${Terms[Name]}`, Option> } } =
  {
    role: {
      label: "Role",
      options: {
        reader: {
          label: "Reader",
          guest: "The guest reads the project and what is in it, and writes nothing.",
          you: "You read the project and what is in it, and write nothing.",
        },
        writer: {
          label: "Writer",
          guest: "The guest reads and writes the project and what is in it.",
          you: "You read and write the project and what is in it.",
        },
      },
    },
    history: {
      label: "History",
      options: {
        "from-share": {
          label: "From sharing",
          guest: "The guest sees the state at the time of sharing and what changes later, and nothing from before.",
          you: "You see the state at the time of sharing and what changed later, and nothing from before.",
        },
        all: {
          label: "All",
          guest: "The guest sees all states of the project since its beginning.",
          you: "You see all states of the project since its beginning.",
        },
      },
    },
    reveal: {
      label: "Secrets",
      options: {
        false: {
          label: "Sealed",
          guest: "The guest sees that there are secrets, and cannot open them.",
          you: "You see that there are secrets, and cannot open them.",
        },
        true: {
          label: "Open",
          guest:
            "With the scope secrets:reveal, the guest opens the secrets of the project, and of the global layer where it takes part.",
          you: "With the scope secrets:reveal, you open the secrets of the project, and of the global layer where it takes part.",
        },
      },
    },
    global: {
      label: "Global layer",
      options: {
        true: {
          label: "Takes part",
          guest: "The guest's views show values of the owner's global layer.",
          you: "Your views show values of the owner's global layer.",
        },
        false: {
          label: "Left out",
          guest: "The guest's views begin at the project.",
          you: "Your views begin at the project.",
        },
      },
    },
  };

export const NAMES = Object.keys(OPTIONS) as (keyof Terms)[];

const optionOf = (terms: Terms, name: keyof Terms): Option =>
  (OPTIONS[name].options as Record<string, Option>)[String(terms[name])] as Option;

/** What terms mean, a sentence for each. */
export const sentences = (terms: Terms, to: "guest" | "you"): string[] =>
  NAMES.map((name) => optionOf(terms, name)[to]);

/** What one of the terms means, to the owner. */
export const sentence = (terms: Terms, name: keyof Terms): string => optionOf(terms, name).guest;

/** What a guest with these terms cannot do. */
export const lacking = ({ role, reveal }: Terms): string[] => [
  ...(role === "reader" ? ["change the project, or add to it"] : []),
  ...(reveal ? [] : ["open secrets"]),
  "create, delete or restore a project",
  "write the global layer",
  "share the project, or change these terms",
  "see the audit trail, or export the store",
];

export function Sentences({ of }: { of: readonly string[] }) {
  return (
    <ul class="says">
      {of.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
