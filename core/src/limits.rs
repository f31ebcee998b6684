//! Every limit of the product as a named constant, with its reason.

/// Longest id, in characters: fits an index key, a URL segment and a socket tag.
pub const ID_LENGTH: usize = 128;

/// Largest data of one context, in bytes of canonical JSON: half of what a row may hold on the
/// smallest platform (2 MB), so that sealing and framing always fit.
pub const DATA_BYTES: usize = 1 << 20;

/// Deepest nesting of data: recursion below this is safe on a 64 KiB stack.
pub const DEPTH: usize = 64;

/// Most values in one body: as a tree they take up to 32 bytes each, and an isolate has 128 MB.
/// Data of [`DATA_BYTES`] cannot reach it.
pub const VALUES: usize = 1 << 20;

/// Most operations in one batch.
pub const BATCH_OPERATIONS: usize = 500;

/// Largest body of a batch or one import block, in bytes.
pub const BATCH_BYTES: usize = 4 << 20;

/// Largest page of a list.
pub const PAGE: usize = 200;

/// Most data in one answer that shows many values, in bytes: a page ends once it holds this much,
/// though it may be shorter than asked for; what has no pages is refused. Four layers of
/// [`DATA_BYTES`] are the largest view.
pub const ANSWER_BYTES: usize = 4 << 20;

/// Most that one explanation may take: a pointer for each value, which may be long itself. A view of
/// [`ANSWER_BYTES`] with pointers of ordinary length stays below.
pub const EXPLANATION_BYTES: usize = 16 << 20;

/// Page size when the caller names none.
pub const PAGE_DEFAULT: usize = 50;

/// Most merge rules in one context.
pub const RULES: usize = 256;

/// Most values sealed anew by one write to one context: each is a row.
pub const NEW_SECRETS: usize = 1000;

/// Longest JSON Pointer, in bytes.
pub const POINTER_BYTES: usize = 4096;

/// Longest summary, in bytes: a line about why, not a document.
pub const SUMMARY_BYTES: usize = 1024;

/// Largest insight or progress entry, in bytes.
pub const ENTRY_BYTES: usize = 64 << 10;

/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;

/// How long an idempotency record answers for its request, in milliseconds (a day).
pub const IDEMPOTENCY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Largest integer that every JSON reader and SQL binding keeps exact: seqs and versions stay below.
pub const EXACT_INTEGER: u64 = (1 << 53) - 1;

/// Most changes that a subscriber is told after a break; whoever has missed more fetches anew.
pub const MISSED_CHANGES: usize = 1000;

/// Most commits whose differences of one view a subscriber is told after a break: each takes the
/// chain as it was, from history.
pub const MISSED_VIEWS: usize = 200;

/// Longest id of a subscription or of a message over a socket, in bytes.
pub const MESSAGE_ID_BYTES: usize = 64;
