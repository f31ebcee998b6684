//! Nacre's core: every decision about layered contexts, and nothing else.
//!
//! Knowledge is stored in four layers, `global ▸ project ▸ branch ▸ task`. A context is one stored
//! layer: a JSON object with its merge rules, its version and its parent. A reader gets the
//! resolved *view* of a context's chain, where each lower layer refines the ones above it.
//!
//! ```text
//! bytes ─ decode ─▶ Command ─ decide(&reads, setting, request) ─▶ Plan { writes, events, reply }
//!                                                              │
//! encode(reply) + publish(events) ◀── apply(writes), one synchronous transaction
//! ```
//!
//! **The core decides and never acts.** It has no clock, no randomness, no I/O and no platform
//! crate; time and entropy are arguments. A shell reads bytes, calls [`decide`](decide::decide),
//! applies the plan in one transaction, and only then publishes and answers.
//!
//! This crate holds no code. It hands on seven crates, whose arrows point one way:
//!
//! ```text
//! nacre-layers ◀─┬─ nacre-store ◀── nacre-wire ◀─┬─ nacre-replica
//! documents      │  decisions       outside      │  offline copies
//!                │                               ├─ nacre-pack
//!                │                               │  views for prompts
//!                └─ nacre-search ◀───────────────┴─ nacre-retrieval
//!                   words, index, ranking           searches of a store
//! ```
#![no_std]

pub use nacre_layers::{
    address, contribution, credentials, diff, error, explain, hash, id, json, layer, level, lint,
    marker, number, patch, pointer, promote, resolve, rules, sensitive, three_way, value,
};
pub use nacre_mcp as mcp;
pub use nacre_pack as pack;
pub use nacre_replica as replica;
pub use nacre_retrieval as retrieval;
pub use nacre_search as search;
pub use nacre_store::{
    access, cache, decide, delta, entropy, history, limits, live, memory, moment, op, plan,
    promotion, quota, record, revocation, row, seal, sheet, store, template, topic,
};
pub use nacre_wire as wire;
