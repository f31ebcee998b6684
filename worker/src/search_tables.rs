//! The tables of a shared database of keyed tokens, and the statements on them.
//!
//! ```text
//! documents  id ▸ owner doc seq indexed address      owner, doc: names; address: sealed
//! words      tokens of a document, its id as row     FTS5 without the text
//! terms      token ▸ documents that have it          a view of `words`
//! tables     one row: the last step, and a random mark of these tables
//! ```
//! **Nothing here can be read.** Owners, contexts and words are named under a key that only the
//! owner's object has (`search_key`). What remains: how many documents an owner has, how long they
//! are, and how often which token occurs in them.
//!
//! **Deliveries may be late, and repeated.** A document is replaced by one of a later commit alone,
//! and its tokens only once for each commit. A deleted context leaves its row without address and
//! tokens, so that a late delivery does not bring it back.
//!
//! All of it follows from the rows of the objects, so it may be dropped at any time. The mark tells
//! an object that tables are not those which had its documents.

use std::fmt::Write as _;

use nacre_core::{
    address::Address,
    error::Result,
    json,
    number::Number,
    search::token::Token,
    value::{Value, encode},
};

use crate::search_key::SearchKey;

/// Most tokens of a document. A row takes 2 MB, and a token 15 bytes.
const TOKENS: usize = 60_000;

/// A statement with its parameters, which are texts and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The SQL.
    pub sql: &'static str,
    /// The parameters.
    pub values: Vec<Value>,
}

/// Statements as JSON: `[[sql, [parameters]], …]`.
pub fn to_json(statements: &[Statement]) -> Vec<u8> {
    let pair = |Statement { sql, values }: &Statement| {
        Value::Array(vec![Value::String((*sql).into()), Value::Array(values.clone())])
    };
    json::write(&Value::Array(statements.iter().map(pair).collect()))
}

/// What a database is told of one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name of the document.
    doc: String,
    seq: u64,
    /// The sealed address in hexadecimal digits, and the tokens; `None` if the context is gone.
    content: Option<(String, String)>,
}

impl Entry {
    /// A context with its tokens, as they were after the commit `seq`; without tokens it is gone.
    ///
    /// # Errors
    /// `internal` only.
    pub fn new(
        key: &SearchKey,
        address: &Address,
        seq: u64,
        tokens: Option<Vec<Token>>,
    ) -> Result<Entry> {
        let content = match tokens {
            Some(tokens) => Some((hex(&key.seal(address)?), text(tokens))),
            None => None,
        };
        Ok(Entry { doc: key.document(address), seq, content })
    }

    /// About how many bytes it takes.
    pub fn length(&self) -> usize {
        self.content.as_ref().map_or(0, |(address, tokens)| address.len() + tokens.len()) + 64
    }
}

/// The tokens as one text. Of a very long document each is named once.
fn text(mut tokens: Vec<Token>) -> String {
    if tokens.len() > TOKENS {
        tokens.sort_unstable();
        tokens.dedup();
        tokens.truncate(TOKENS);
    }
    let mut text = String::with_capacity(tokens.len() * 15);
    for token in tokens {
        text.push_str(&token.to_text());
        text.push(' ');
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// Makes all tables, in place of those that may be there.
pub fn make() -> Vec<Statement> {
    let statements = DROPS.into_iter().chain([TABLES]).chain(STEPS.concat());
    let mut statements: Vec<Statement> = statements.map(plain).collect();
    statements.push(numbered(STEPS.len()));
    statements
}

/// The steps that tables of an earlier version lack.
pub fn update(step: usize) -> Vec<Statement> {
    let lacking = STEPS.get(step..).unwrap_or_default();
    if lacking.is_empty() {
        return Vec::new();
    }
    let mut statements: Vec<Statement> = lacking.concat().into_iter().map(plain).collect();
    statements.push(numbered(STEPS.len()));
    statements
}

fn plain(sql: &'static str) -> Statement {
    Statement { sql, values: Vec::new() }
}

fn numbered(step: usize) -> Statement {
    Statement { sql: NUMBER, values: vec![number(step as u64)] }
}

fn number(number: u64) -> Value {
    Value::Number(Number::from(number))
}

/// Asks which of the tables are there.
pub fn there() -> Vec<Statement> {
    vec![plain(THERE)]
}

/// How many tables [`there`] counts if all are.
pub const ALL_THERE: u64 = 4;

/// Takes in what changed of an owner's contexts. The last result is the number of the last step and
/// the mark of the tables.
///
/// # Errors
/// `internal` only.
pub fn put(owner: &str, entries: &[Entry]) -> Result<Vec<Statement>> {
    let rows: Vec<_> = entries
        .iter()
        .map(|Entry { doc, seq, content }| {
            let (address, tokens) = content.as_ref().map_or((None, None), |(address, tokens)| {
                (Some(address.as_str()), Some(tokens.as_str()))
            });
            (doc.as_str(), *seq, address, tokens)
        })
        .collect();
    let rows = json_text(&encode(&rows)?);
    let mut statements: Vec<Statement> = PUT
        .iter()
        .map(|sql| Statement { sql, values: vec![text_value(owner), rows.clone()] })
        .collect();
    statements.push(mark());
    Ok(statements)
}

/// Drops some of an owner's documents; to be repeated until none is left, which the only result
/// tells.
pub fn erase(owner: &str) -> Vec<Statement> {
    let bound = |sql| Statement { sql, values: vec![text_value(owner), number(ERASED_AT_ONCE)] };
    vec![
        bound(ERASE_WORDS),
        bound(ERASE_DOCUMENTS),
        Statement { sql: LEFT, values: vec![text_value(owner)] },
    ]
}

/// The best documents for an expression of tokens, and how many documents have each of some tokens.
/// The last result is the number of the last step and the mark of the tables.
///
/// # Errors
/// `internal` only.
pub fn query(owner: &str, expression: &str, tokens: &[Token], most: u64) -> Result<Vec<Statement>> {
    let tokens: Vec<String> = tokens.iter().map(|token| token.to_text()).collect();
    Ok(vec![
        Statement {
            sql: BEST,
            values: vec![text_value(expression), number(most), text_value(owner)],
        },
        Statement { sql: FREQUENCIES, values: vec![json_text(&encode(&tokens)?)] },
        mark(),
    ])
}

/// The number of the last step, and the mark of the tables.
fn mark() -> Statement {
    plain(MARK)
}

fn text_value(text: &str) -> Value {
    Value::String(text.into())
}

fn json_text(value: &Value) -> Value {
    Value::String(String::from_utf8(json::write(value)).unwrap_or_default())
}

const DROPS: [&str; 4] = [
    "DROP TABLE IF EXISTS terms",
    "DROP TABLE IF EXISTS words",
    "DROP TABLE IF EXISTS documents",
    "DROP TABLE IF EXISTS tables",
];

const TABLES: &str = "CREATE TABLE tables (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        step INTEGER NOT NULL,
        mark TEXT NOT NULL
    ) STRICT";

/// The first `n` steps make version `n` of the tables.
const STEPS: &[&[&str]] = &[&[
    "CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        doc TEXT NOT NULL,
        seq INTEGER NOT NULL,
        indexed INTEGER NOT NULL DEFAULT 0,
        address BLOB,
        UNIQUE (owner, doc)
    ) STRICT",
    "CREATE VIRTUAL TABLE words USING fts5(
        tokens, content='', contentless_delete=1, tokenize='ascii'
    )",
    "CREATE VIRTUAL TABLE terms USING fts5vocab(words, 'row')",
]];

const NUMBER: &str = "INSERT INTO tables (one, step, mark) VALUES (1, ?, hex(randomblob(16)))
    ON CONFLICT (one) DO UPDATE SET step = excluded.step";

const THERE: &str = "SELECT count(*) FROM sqlite_master
    WHERE type = 'table' AND name IN ('documents', 'words', 'terms', 'tables')";

const MARK: &str = "SELECT step, mark FROM tables";

// A delivery: [[doc, seq, address, tokens], …]. What it finds newer stays as it is, and so do the
// tokens of what it finds indexed. A cross join keeps the order of its tables: SQLite would go through
// all documents of the owner first.
const PUT: [&str; 4] = [
    "INSERT INTO documents (owner, doc, seq, address)
        SELECT ?1, value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?2) WHERE true
        ON CONFLICT (owner, doc) DO UPDATE SET seq = excluded.seq, address = excluded.address
        WHERE excluded.seq > documents.seq",
    "DELETE FROM words WHERE rowid IN (
        SELECT documents.id FROM json_each(?2) AS sent
        CROSS JOIN documents ON documents.owner = ?1 AND documents.doc = sent.value ->> 0
        WHERE documents.seq = sent.value ->> 1 AND documents.indexed < documents.seq
            AND documents.indexed > 0
    )",
    "INSERT INTO words (rowid, tokens)
        SELECT documents.id, sent.value ->> 3 FROM json_each(?2) AS sent
        CROSS JOIN documents ON documents.owner = ?1 AND documents.doc = sent.value ->> 0
        WHERE documents.seq = sent.value ->> 1 AND documents.indexed < documents.seq
            AND sent.value ->> 3 IS NOT NULL",
    "UPDATE documents SET indexed = seq WHERE id IN (
        SELECT documents.id FROM json_each(?2) AS sent
        CROSS JOIN documents ON documents.owner = ?1 AND documents.doc = sent.value ->> 0
        WHERE documents.seq = sent.value ->> 1 AND documents.indexed < documents.seq
    )",
];

/// Documents dropped in one statement.
const ERASED_AT_ONCE: u64 = 2000;

const ERASE_WORDS: &str = "DELETE FROM words WHERE rowid IN (
        SELECT id FROM documents WHERE owner = ?1 ORDER BY doc LIMIT ?2
    )";

const ERASE_DOCUMENTS: &str = "DELETE FROM documents WHERE id IN (
        SELECT id FROM documents WHERE owner = ?1 ORDER BY doc LIMIT ?2
    )";

const LEFT: &str = "SELECT count(*) FROM (SELECT 1 FROM documents WHERE owner = ?1 LIMIT 1)";

const BEST: &str = "SELECT hex(documents.address)
    FROM (SELECT rowid, rank FROM words WHERE words MATCH ?1 ORDER BY rank LIMIT ?2) AS best
    JOIN documents ON documents.id = best.rowid
    WHERE documents.owner = ?3 AND documents.address IS NOT NULL ORDER BY best.rank";

const FREQUENCIES: &str =
    "SELECT term, doc FROM terms WHERE term IN (SELECT value FROM json_each(?1))";
