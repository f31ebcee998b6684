//! The Model Context Protocol (MCP) over a store: what agents are offered, and what each request asks
//! of the store.
//!
//! ```text
//! message ─ protocol ─▶ tool, resource or prompt ─▶ Step::Ask(asks) ─ the shell carries them out ─┐
//!                                 ▲                                                                │
//!                                 └──────────────────────── answers ───────────────────────────────┘
//!                                                     Step::Done(outcome) ─▶ message
//! ```
//! Nothing here reads a store: a request becomes a list of [`Ask`]s, the shell carries each one out as
//! it would for HTTP, and the answers are handed back. So a tool can do nothing that HTTP cannot, and
//! rights, quotas and the audit trail hold without a word about them here.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod arguments;
mod bound;
mod call;
mod failure;
mod nearest;
mod outcome;
pub mod protocol;
mod setting;
mod step;
mod text;
pub mod tools;

pub use outcome::{Outcome, object, text_block};
pub use setting::Setting;
pub use step::{Answered, Ask, Follow, Next, Step};
