//! Limits of documents as named constants, each with its reason.

/// Longest id, in characters: fits an index key, a URL segment and a socket tag.
pub const ID_LENGTH: usize = 128;

/// Largest data of one context, in bytes of canonical JSON: half of what a row may hold on the
/// smallest platform (2 MB), so that sealing and framing always fit.
pub const DATA_BYTES: usize = 1 << 20;

/// Deepest nesting of data: recursion below this is safe on a 64 KiB stack.
pub const DEPTH: usize = 64;

/// Most values in the data of one context, arrays and objects included. The index of a layer takes
/// 32 bytes for each value, so without this limit a text of [`DATA_BYTES`] could take 16 times as
/// much memory.
pub const DATA_VALUES: usize = 100_000;

/// Most values in one body: in memory each takes up to 32 bytes, and an isolate has 128 MB. A text
/// of [`DATA_BYTES`] cannot reach it.
pub const VALUES: usize = 1 << 19;

/// Most data in one answer with many values, in bytes. A page ends when it holds this much, even if
/// it is shorter than requested; an answer without pages is refused. The largest view is four
/// layers of [`DATA_BYTES`].
pub const ANSWER_BYTES: usize = 4 << 20;

/// Largest explanation, in bytes of its answer: for each value a pointer, and the names of its
/// layers. Eight such answers at once must fit an isolate.
pub const EXPLANATION_BYTES: usize = 8 << 20;

/// Most merge rules in one context.
pub const RULES: usize = 256;

/// Longest merge rule, in bytes: `keyed` may name several members.
pub const RULE_BYTES: usize = 1024;

/// Most names in the paths of all merge rules of one context: each takes memory when a view is made.
pub const RULE_NAMES: usize = 4096;

/// Longest JSON Pointer, in bytes.
pub const POINTER_BYTES: usize = 4096;

/// Largest integer that every JSON reader and SQL binding keeps exact. Every `seq` and version is
/// smaller.
pub const EXACT_INTEGER: u64 = (1 << 53) - 1;
