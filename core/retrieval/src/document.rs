//! What is kept of one context for search.
//!
//! ```text
//! document := version ‖ facts ‖ row ‖ embedding ‖ [dense] ‖ meaning
//! facts    := parent ‖ seq ‖ version ‖ updated_at ‖ by ‖ flags
//! ```
//! Texts, rows and vectors follow their length, numbers have eight bytes. The flags say whether it has
//! notes (1), and a dense vector (2). A document without a meaning is not encoded yet. The embedding of
//! most is empty.

use alloc::{string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::Result,
    id::{ContextId, User},
    sort::sort_by,
    value::Value,
};
use nacre_search::{
    bytes::{put_bytes, take_bytes, take_text},
    row::Row,
    semantic::{
        models::{Meaning, Models},
        text::document_text,
        vector::Vector,
    },
};
use nacre_store::{
    moment::Moment,
    readable::each_entry,
    record::{Entry, EntryKind, Record},
    store::Reads,
};

use crate::dense::DenseVector;

/// The flag of a document with notes.
const HAS_NOTES: u8 = 1;

/// The flag of a document with a dense vector.
const HAS_DENSE: u8 = 1 << 1;

/// The version of documents. One of another version is made anew.
pub const VERSION: u8 = 2;

/// Most notes of each kind that are searched, the newest first.
const NOTES: usize = 100;

/// Most bytes of the notes of one context that are searched.
const NOTE_BYTES: usize = 64 << 10;

/// The notes that are read at once, for each may be as long as all of them together.
const NOTES_AT_ONCE: usize = 16;

/// What is kept of one context for search, sealed as one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What filters and explanations ask for.
    pub facts: Facts,
    /// The terms.
    pub row: Row,
    /// What the models say of it; `None` if it is not encoded yet.
    pub meaning: Option<Meaning>,
    /// The vector that it was [given](crate::Corpus::give_vector).
    pub embedding: Option<Vector>,
    /// Its vector by the deployment's embedding model, or by an earlier one.
    pub dense: Option<DenseVector>,
}

/// What filters and explanations ask of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The id of the parent, one level up; `None` for the global context.
    pub parent: Option<ContextId>,
    /// The `seq` of the last change.
    pub seq: u64,
    /// The number of the version.
    pub version: u64,
    /// The time of the last change.
    pub updated_at: Moment,
    /// The user who made the last change.
    pub by: User,
    /// Whether insights or notes on progress are among the terms.
    pub has_notes: bool,
}

impl Document {
    /// The document of a live context with these notes, not encoded yet. Sealed values are markers
    /// in a record, and so are not searched.
    pub fn of(record: &Record, notes: &[String]) -> Document {
        let facts = Facts {
            parent: record.parent.clone(),
            seq: record.seq,
            version: record.version,
            updated_at: record.updated_at,
            by: record.updated_by.clone(),
            has_notes: !notes.is_empty(),
        };
        // A layer that cannot be read would not have been written.
        let data = record.layer.to_value().unwrap_or(Value::Null);
        let empty = Default::default();
        let row = Row::of(&record.address, data.as_object().unwrap_or(&empty), notes);
        Document { facts, row, meaning: None, embedding: None, dense: None }
    }

    /// Reads a context and makes its document; `None` if the context is not live.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(reads: &dyn Reads, address: &Address) -> Result<Option<Document>> {
        let record = reads.record(address)?.filter(|record| record.is_live());
        let make = |record: &Record| Ok(Document::of(record, &notes(reads, address)?));
        record.map(|record| make(&record)).transpose()
    }

    /// What the models say of a context with these notes. It takes long with the sparse model, so a
    /// shell asks behind the write.
    ///
    /// # Errors
    /// `store-unavailable` if the layer cannot be read.
    pub fn meaning_of(models: &Models<'_>, record: &Record, notes: &[String]) -> Result<Meaning> {
        let data = record.layer.to_value()?;
        let empty = Default::default();
        let text = document_text(data.as_object().unwrap_or(&empty), notes);
        Ok(models.encode_document(&text))
    }

    /// The document as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Facts { parent, seq, version, updated_at, by, has_notes } = &self.facts;
        let mut out = Vec::from([VERSION]);
        put_bytes(&mut out, parent.as_ref().map_or("", ContextId::as_str).as_bytes());
        for number in [*seq, *version, updated_at.0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        put_bytes(&mut out, by.as_str().as_bytes());
        let flag = |has: bool, flag| if has { flag } else { 0 };
        out.push(flag(*has_notes, HAS_NOTES) | flag(self.dense.is_some(), HAS_DENSE));
        put_bytes(&mut out, &self.row.encode());
        let embedding = self.embedding.as_ref().map(Vector::to_bytes);
        put_bytes(&mut out, &embedding.unwrap_or_default());
        if let Some(dense) = &self.dense {
            put_bytes(&mut out, &dense.to_bytes());
        }
        if let Some(meaning) = &self.meaning {
            out.extend_from_slice(&meaning.to_bytes());
        }
        out
    }

    /// Reads a document; `None` if it is of another version or damaged. Then it has to be made anew.
    /// A meaning of other models is left out, so that it is made anew.
    pub fn decode(bytes: &[u8]) -> Option<Document> {
        let Packed { facts, row, meaning, embedding, dense } = Packed::read(bytes)?;
        Some(Document { facts, row: Row::decode(row)?, meaning, embedding, dense })
    }

    /// The `seq` of the last change and the vector of a document in bytes, if it has one.
    pub fn given_vector(bytes: &[u8]) -> Option<(u64, Vector)> {
        let Packed { facts, embedding, .. } = Packed::read(bytes)?;
        Some((facts.seq, embedding?))
    }
}

/// A document whose terms are not taken apart.
pub(crate) struct Packed<'b> {
    pub(crate) facts: Facts,
    pub(crate) row: &'b [u8],
    pub(crate) meaning: Option<Meaning>,
    pub(crate) embedding: Option<Vector>,
    pub(crate) dense: Option<DenseVector>,
}

impl<'b> Packed<'b> {
    /// As [`Document::decode`].
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Packed<'b>> {
        let mut bytes = bytes.strip_prefix(&[VERSION])?;
        let bytes = &mut bytes;
        let parent = match take_text(bytes)? {
            "" => None,
            id => Some(ContextId::stored(id).ok()?),
        };
        let (seq, version, updated_at) = (number(bytes)?, number(bytes)?, number(bytes)?);
        let by = User::parse(take_text(bytes)?).ok()?;
        let (flags, rest) = bytes.split_first()?;
        let has_notes = flags & HAS_NOTES != 0;
        *bytes = rest;
        let row = take_bytes(bytes)?;
        let embedding = take_bytes(bytes)?;
        let embedding = (!embedding.is_empty()).then(|| Vector::from_bytes(embedding));
        let dense = match flags & HAS_DENSE != 0 {
            true => Some(DenseVector::from_bytes(take_bytes(bytes)?)?),
            false => None,
        };
        let meaning = if bytes.is_empty() { None } else { Meaning::from_bytes(bytes).ok()? };
        let updated_at = Moment(updated_at);
        let facts = Facts { parent, seq, version, updated_at, by, has_notes };
        Some(Packed { facts, row, meaning, embedding, dense })
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_be_bytes(*number))
}

/// The texts of a context's newest insights and notes on progress, the newest first: as many as are
/// searched. Sealed ones are left out.
///
/// # Errors
/// Those of the store.
pub fn notes(reads: &dyn Reads, address: &Address) -> Result<Vec<String>> {
    notes_with(reads, address, &mut |_| Ok(true))
}

/// As [`notes`], of those that `keep` keeps.
pub(crate) fn notes_with(
    reads: &dyn Reads,
    address: &Address,
    keep: &mut dyn FnMut(&Entry) -> Result<bool>,
) -> Result<Vec<String>> {
    let Some(record) = reads.record(address)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for kind in [EntryKind::Insight, EntryKind::Progress] {
        newest(reads, &record, kind, keep, &mut found)?;
    }
    sort_by(&mut found, |a, b| b.id.cmp(&a.id));
    let mut left = NOTE_BYTES;
    let fits = |entry: &Entry| {
        left.checked_sub(entry.content.len()).inspect(|rest| left = *rest).is_some()
    };
    Ok(found.into_iter().take_while(fits).map(|entry| entry.content).collect())
}

/// Adds the newest entries of a kind, until there are enough.
fn newest(
    reads: &dyn Reads,
    record: &Record,
    kind: EntryKind,
    keep: &mut dyn FnMut(&Entry) -> Result<bool>,
    found: &mut Vec<Entry>,
) -> Result<()> {
    let (mut count, mut bytes) = (0, 0);
    each_entry(reads, record, kind, NOTES_AT_ONCE, &mut |entry| {
        if count == NOTES || bytes >= NOTE_BYTES {
            return Ok(false);
        }
        count += 1;
        if entry.plain().is_some() && keep(&entry)? {
            bytes += entry.content.len();
            found.push(entry);
        }
        Ok(true)
    })
}
