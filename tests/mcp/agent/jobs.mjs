// Ten kinds of an agent's work: the calls of each on Nacre, and on the memory server where it can do it.
//
// A step is `[tool, arguments, expected]`: what the answer's text must match. The fourth names the agent that
// makes the call where there are two. A store takes six contexts, one more than there are. `calls` is how many
// calls the job takes on Nacre, `most` the most tokens of these and their answers, by the tokenizer o200k. Where
// the peer does no such work, `peer` says why. Where Nacre needs more tokens than the peer, `exception` says why.

const LESSON = "the pool runs dry at 40 connections";
const CHAIN = ["global", "shop", "checkout", "fix-login"];
const observe = (name, ...contents) => [
  "add_observations",
  { observations: [{ entityName: name, contents }] },
  /addedObservations/u,
];
const open = (names, expected) => ["open_nodes", { names }, expected];

export const JOBS = [
  {
    title: "start a task",
    nacre: [["resolve_context", {}, /one-page checkout.*reproduce/su]],
    peer: [open(CHAIN, /one-page checkout.*reproduce/su)],
    calls: 1,
    most: 180,
  },
  {
    title: "read a value",
    nacre: [["resolve_context", { path: "/database/pool/size" }, /"data":40/u]],
    peer: [["search_nodes", { query: "database.pool.size" }, /40/u]],
    calls: 1,
    most: 105,
  },
  {
    title: "note",
    nacre: [["manage_context", { action: "add_progress", content: LESSON }, /"seq"/u]],
    peer: [observe("fix-login", LESSON)],
    calls: 1,
    most: 70,
  },
  {
    title: "hand over",
    nacre: [
      ["manage_context", { action: "add_insight", content: LESSON, category: "decision" }, /"seq"/u],
      ["get_context_pack", {}, new RegExp(LESSON, "u"), "second"],
    ],
    peer: [observe("fix-login", `decision: ${LESSON}`), [...open(CHAIN, new RegExp(LESSON, "u")), "second"]],
    calls: 2,
    most: 320,
  },
  {
    title: "promote",
    nacre: [
      ["promote_context", { action: "propose", pointer: "/database/pool/size", to: "project" }, /"proposed"/u],
      ["promote_context", { action: "approve", id: "$id" }, /"approved"/u],
    ],
    peer: [
      observe("shop", "database.pool.size: 40"),
      [
        "delete_observations",
        { deletions: [{ entityName: "fix-login", observations: ["database.pool.size: 40"] }] },
        /deleted/u,
      ],
    ],
    calls: 2,
    most: 185,
    exception: "the proposal answers with its preview: who is affected, and who overrides it",
  },
  {
    title: "recover from a conflict",
    nacre: [
      ["manage_context", { action: "update", patch: { step: "measure" } }, /"version":/u],
      [
        "manage_context",
        { action: "update", patch: { step: "fix" }, expect_version: "$before" },
        /version-conflict.*"measure".*Next: /su,
        "second",
      ],
      ["manage_context", { action: "update", patch: { step: "fix" } }, /"version":/u, "second"],
    ],
    peer: "it knows no versions: the later write wins, and nobody is told",
    calls: 3,
    most: 215,
  },
  {
    title: "work read-only",
    scope: "contexts:read",
    nacre: [
      ["resolve_context", { path: "/database" }, /db\.example/u],
      ["manage_context", { action: "update", patch: { step: "fix" } }, /scope/u],
    ],
    peer: "it has no rights",
    calls: 2,
    most: 150,
  },
  {
    title: "hit a quota",
    nacre: [
      [
        "manage_context",
        { action: "create", level: "task", context_id: "one-more", parent: "checkout", data: {} },
        /"version"/u,
      ],
      [
        "manage_context",
        { action: "create", level: "task", context_id: "too-many", parent: "checkout", data: {} },
        /quota-exceeded.*\nNext: delete/su,
      ],
      ["manage_context", { action: "delete", level: "task", context_id: "cart-totals" }, /"seq"/u],
      [
        "manage_context",
        { action: "create", level: "task", context_id: "too-many", parent: "checkout", data: {} },
        /"version"/u,
      ],
    ],
    peer: "it has no quotas",
    calls: 4,
    most: 235,
  },
  {
    title: "two agents at once",
    together: true,
    nacre: [
      ["manage_context", { action: "append", pointer: "/log", values: ["first"] }, /"version"/u],
      ["manage_context", { action: "append", pointer: "/log", values: ["second"] }, /"version"/u, "second"],
    ],
    peer: [observe("fix-login", "log: first"), [...observe("fix-login", "log: second"), "second"]],
    check: [["resolve_context", { path: "/log" }, /first.*second|second.*first/su]],
    calls: 2,
    most: 100,
  },
  {
    title: "be cut off",
    nacre: [
      ["manage_context", { action: "append", pointer: "/log", values: ["once"], idempotency_key: "k1" }, /"version"/u],
      ["manage_context", { action: "append", pointer: "/log", values: ["once"], idempotency_key: "k1" }, /"version"/u],
    ],
    peer: [observe("fix-login", "log: once"), observe("fix-login", "log: once")],
    check: [["resolve_context", { path: "/log" }, /\["once"\]/u]],
    calls: 2,
    most: 115,
  },
];
