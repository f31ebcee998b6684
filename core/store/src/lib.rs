//! A store of layered contexts: its operations, and every decision about them.
//!
//! ```text
//! Request ─ decide(&reads, setting, request) ─▶ Plan { writes, events, reply }
//!                    │                              │
//!   sight · permit · draft · contexts · read · batch      └─▶ row: writes as sealed bytes, for any SQL
//!                    │                                  live: events as differences of views
//!     Reads: memory, a cache, SQL rows, a replica
//! ```
//!
//! **It decides and never acts.** Time and entropy are arguments. Rows are read through the small
//! synchronous trait [`Reads`](store::Reads). The form of requests and answers outside is in
//! `nacre-wire`.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

// Requests, the store, and the decisions between them.
pub mod access;
pub mod decide;
pub mod history;
pub mod limits;
pub mod moment;
pub mod op;
pub mod plan;
pub mod promotion;
pub mod quota;
pub mod readable;
pub mod record;
pub mod revocation;
mod sight;
pub mod store;
pub mod template;

// Live updates.
pub mod delta;
pub mod live;
pub mod topic;

// Stores: in memory, what they cache, and rows as bytes.
pub mod cache;
pub mod memory;
pub mod row;
pub mod sheet;

// Secrets.
pub mod entropy;
pub mod seal;
