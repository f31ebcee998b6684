//! The limits of a store as named constants, each with its reason. Those of documents are in
//! `nacre-layers`.

pub use nacre_layers::limits::*;

/// Most operations in one batch.
pub const BATCH_OPERATIONS: usize = 500;

/// Largest body of a batch or one import block, in bytes.
pub const BATCH_BYTES: usize = 4 << 20;

/// Most data that the reads of one batch may go through, in bytes, also where their answers are
/// refused.
pub const BATCH_READ_BYTES: usize = 64 << 20;

/// Largest page of a list.
pub const PAGE: usize = 200;

/// Page size if the caller does not set one.
pub const PAGE_DEFAULT: usize = 50;

/// Most bytes of views that one preview goes through: each view that may change is made twice and
/// compared.
pub const PREVIEW_BYTES: usize = 256 << 20;

/// Most bytes of ids and pointers in the answer to a preview, with what is around them. A change takes
/// many times its pointer in memory while it is found.
pub const PREVIEW_NAME_BYTES: usize = 2 << 20;

/// Most that one commit may hold, in bytes of memory: new layers with their indexes, patches there
/// and back, entries.
pub const COMMIT_BYTES: usize = 32 << 20;

/// Most bytes of data that one commit may make, counted at each change: each one reads, writes and
/// compares the whole data of a context, so many changes of a large one take long.
pub const COMMIT_WORK_BYTES: usize = 128 << 20;

/// Most that the conflicts of one refusal may take, in bytes of JSON, and those of one batch
/// together: as much as the data of one context. What is left out is told.
pub const CONFLICT_BYTES: usize = 1 << 20;

/// Most different values that one write to one context seals: each may be a row. Values that the store holds
/// already count too, or the limit would tell which ones it holds.
pub const SEALED_VALUES: usize = 1000;

/// Longest summary, in bytes: a line about the reason, not a document.
pub const SUMMARY_BYTES: usize = 1024;

/// Largest insight or progress entry, in bytes.
pub const ENTRY_BYTES: usize = 64 << 10;

/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;

/// How long an idempotency key is remembered, in milliseconds (a day).
pub const IDEMPOTENCY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Most missed changes that a subscriber gets after a break. A subscriber who missed more must read
/// again.
pub const MISSED_CHANGES: usize = 1000;

/// Most missed commits for which a subscriber to a view gets differences after a break: each one
/// needs the chain of that time from history.
pub const MISSED_VIEWS: usize = 200;

/// Most data that is gone through to find what a subscriber has missed, in bytes. Past states of large
/// contexts are made from newer ones, which takes long.
pub const MISSED_BYTES: usize = 64 << 20;

/// Longest id of a subscription or of a message over a socket, in bytes.
pub const MESSAGE_ID_BYTES: usize = 64;

/// Most warnings in one answer.
pub const WARNINGS: usize = 100;
