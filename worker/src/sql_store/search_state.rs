//! The one row about the index of searches.

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::Result,
    id::ContextId,
    retrieval::{self, EmbeddingModel},
    row::{level_number, level_of},
    seal::{Keyring, RowIdentity, open_row, seal_row},
    search::{row, semantic::models},
};

use super::bytes::{read_byte, read_bytes, read_number, write_bytes, write_number};
use crate::{
    search_key::{KEY_BYTES, SearchKey},
    sql::odd,
};

/// The version of what makes documents. It changes with that of the rows and of the documents, each
/// below 16.
const ANALYSIS: u8 = row::VERSION * 16 + retrieval::VERSION;

/// What is known of the index as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchState {
    /// Names what leaves the object.
    pub key: std::rc::Rc<SearchKey>,
    /// The number of documents.
    pub documents: u64,
    /// The number of their words.
    pub words: u64,
    /// The mark of the tables in the shared database that have the documents; empty if none has.
    pub mark: String,
    /// The version of the analysis that made the documents.
    pub(super) analysis: u8,
    pub(super) reindex: Option<Reindex>,
    /// The version of the models that the last walk went with.
    pub(super) models: u8,
    /// The walk over documents without a meaning, if there may be some.
    pub(super) encoding: Option<Walk>,
    /// Vectors of an embedding model, since the deployment has one.
    pub(super) dense: Option<DenseState>,
}

/// How far the vectors of an embedding model are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DenseState {
    /// The model that the last walk went with.
    pub(super) model: EmbeddingModel,
    /// The walk over documents without its vector, if there may be some.
    pub(super) walk: Option<Walk>,
}

/// A walk over all documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// The last document that was looked at.
    pub(super) after: Option<Address>,
}

/// A reindex that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reindex {
    /// Whether the owner's rows must go from the shared database first.
    pub(super) must_clear: bool,
    /// The last context that was put into the outbox.
    pub(super) after: Option<Address>,
    /// Whether all were.
    pub(super) all_queued: bool,
    /// How many were.
    pub(super) queued: u64,
    /// How many there were at the beginning.
    pub(super) of: u64,
}

impl Reindex {
    pub(super) fn new(of: u64) -> Reindex {
        Reindex { must_clear: true, after: None, all_queued: false, queued: 0, of }
    }
}

// state   := format  analysis  models  key[32]  documents  words  mark  0 | 1 reindex  0 | 1 walk  [dense]
// dense   := model[8]  0 | 1 walk
// reindex := must_clear  all_queued  queued  of  walk
// walk    := 0 | 1 level id

const FORMAT: u8 = 1;

impl SearchState {
    /// The state of an index without documents.
    pub(super) fn new(entropy: &mut Entropy) -> Result<SearchState> {
        Ok(SearchState {
            key: SearchKey::new(entropy.array())?.into(),
            documents: 0,
            words: 0,
            mark: String::new(),
            analysis: ANALYSIS,
            reindex: None,
            models: models::VERSION,
            encoding: None,
            dense: None,
        })
    }

    /// Begins the walk over documents without a vector of a model.
    pub(super) fn begin_dense(&mut self, model: EmbeddingModel) {
        self.dense = Some(DenseState { model, walk: Some(Walk { after: None }) });
    }

    /// Whether the vectors are not all of this model.
    pub(super) fn lacks_dense(&self, model: EmbeddingModel) -> bool {
        self.dense.as_ref().is_none_or(|dense| dense.model != model || dense.walk.is_some())
    }

    pub(super) fn identity() -> RowIdentity {
        RowIdentity::new("search_state")
    }

    /// Whether documents were made by another analysis than this code's.
    pub(super) fn is_outdated(&self) -> bool {
        self.analysis != ANALYSIS
    }

    /// Begins the walk over documents without a meaning.
    pub(super) fn begin_encoding(&mut self) {
        self.models = models::VERSION;
        self.encoding = Some(Walk { after: None });
    }

    /// Whether meanings were made by other models than this code's.
    pub(super) fn has_other_models(&self) -> bool {
        self.models != models::VERSION
    }

    /// Whether a reindex has put all contexts into the outbox.
    pub(super) fn is_all_queued(&self) -> bool {
        self.reindex.as_ref().is_some_and(|reindex| reindex.all_queued)
    }

    /// Whether a reindex is not done. Meanwhile only the own rows have all documents.
    pub fn is_reindexing(&self) -> bool {
        self.reindex.is_some()
    }

    /// Whether some documents may not have been made, or not by this code.
    pub fn lacks_documents(&self) -> bool {
        self.is_reindexing() || self.is_outdated()
    }

    /// Whether the shared database must be cleared of the store's rows before it gets new ones.
    pub fn must_clear(&self) -> bool {
        self.reindex.as_ref().is_some_and(|reindex| reindex.must_clear)
    }

    /// Begins a reindex of `of` contexts.
    pub(super) fn begin(&mut self, of: u64) {
        self.reindex = Some(Reindex::new(of));
        self.analysis = ANALYSIS;
    }

    pub(super) fn seal(&self, keys: &Keyring, entropy: &mut Entropy) -> Result<Vec<u8>> {
        seal_row(keys, &SearchState::identity(), &self.encode(), entropy.array())
    }

    pub(super) fn open(keys: &Keyring, sealed: &[u8]) -> Result<SearchState> {
        SearchState::decode(&open_row(keys, &SearchState::identity(), sealed)?)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT, self.analysis, self.models];
        bytes.extend_from_slice(self.key.as_bytes());
        write_number(&mut bytes, self.documents);
        write_number(&mut bytes, self.words);
        write_bytes(&mut bytes, self.mark.as_bytes());
        bytes.push(u8::from(self.reindex.is_some()));
        if let Some(reindex) = &self.reindex {
            bytes.push(u8::from(reindex.must_clear));
            bytes.push(u8::from(reindex.all_queued));
            write_number(&mut bytes, reindex.queued);
            write_number(&mut bytes, reindex.of);
            write_after(&mut bytes, reindex.after.as_ref());
        }
        write_walk(&mut bytes, self.encoding.as_ref());
        if let Some(DenseState { model, walk }) = &self.dense {
            bytes.extend_from_slice(model.as_bytes());
            write_walk(&mut bytes, walk.as_ref());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<SearchState> {
        let mut rest = bytes;
        let rest = &mut rest;
        if read_byte(rest)? != FORMAT {
            return Err(odd());
        }
        let (analysis, models) = (read_byte(rest)?, read_byte(rest)?);
        let (key, after) = rest.split_first_chunk::<KEY_BYTES>().ok_or_else(odd)?;
        *rest = after;
        let state = SearchState {
            key: SearchKey::new(*key)?.into(),
            documents: read_number(rest)?,
            words: read_number(rest)?,
            mark: read_text(rest)?,
            analysis,
            models,
            reindex: if read_byte(rest)? == 1 { Some(read_reindex(rest)?) } else { None },
            encoding: read_walk(rest)?,
            dense: if rest.is_empty() { None } else { Some(read_dense(rest)?) },
        };
        if rest.is_empty() { Ok(state) } else { Err(odd()) }
    }
}

fn read_reindex(rest: &mut &[u8]) -> Result<Reindex> {
    Ok(Reindex {
        must_clear: read_byte(rest)? == 1,
        all_queued: read_byte(rest)? == 1,
        queued: read_number(rest)?,
        of: read_number(rest)?,
        after: read_after(rest)?,
    })
}

fn write_walk(bytes: &mut Vec<u8>, walk: Option<&Walk>) {
    bytes.push(u8::from(walk.is_some()));
    if let Some(walk) = walk {
        write_after(bytes, walk.after.as_ref());
    }
}

fn read_walk(rest: &mut &[u8]) -> Result<Option<Walk>> {
    Ok(if read_byte(rest)? == 1 { Some(Walk { after: read_after(rest)? }) } else { None })
}

fn read_dense(rest: &mut &[u8]) -> Result<DenseState> {
    let model = EmbeddingModel::read(rest).ok_or_else(odd)?;
    Ok(DenseState { model, walk: read_walk(rest)? })
}

fn write_after(bytes: &mut Vec<u8>, after: Option<&Address>) {
    bytes.push(u8::from(after.is_some()));
    if let Some(after) = after {
        write_number(bytes, level_number(after.level));
        write_bytes(bytes, after.id.as_str().as_bytes());
    }
}

fn read_after(rest: &mut &[u8]) -> Result<Option<Address>> {
    if read_byte(rest)? == 1 { read_address(rest).map(Some) } else { Ok(None) }
}

fn read_address(rest: &mut &[u8]) -> Result<Address> {
    let level = level_of(read_number(rest)?)?;
    let id = ContextId::stored(&read_text(rest)?).map_err(|_| odd())?;
    Address::new(level, id).map_err(|_| odd())
}

fn read_text(rest: &mut &[u8]) -> Result<String> {
    String::from_utf8(read_bytes(rest)?.to_vec()).map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_and_nothing_else_is_read() -> Result<()> {
        let plain = SearchState::new(&mut Entropy::from_seed([1; 32]))?;
        let mut begun = SearchState { documents: 3, words: 1 << 40, ..plain.clone() };
        begun.mark = "mark".into();
        begun.begin(9);
        let mut half = begun.clone();
        half.reindex = Some(Reindex {
            must_clear: false,
            after: Some(Address::parse("task", "t1")?),
            all_queued: true,
            queued: 4,
            of: 9,
        });
        let walking = SearchState { encoding: Some(Walk { after: None }), ..half.clone() };
        let mut dense = walking.clone();
        dense.begin_dense(EmbeddingModel::named("one"));
        let without = walking.encode().len();
        for state in [plain, begun, half, walking, dense] {
            let bytes = state.encode();
            assert_eq!(SearchState::decode(&bytes)?, state);
            // What follows the other parts may be missing as a whole.
            for cut in (0..bytes.len()).filter(|cut| state.dense.is_none() || *cut != without) {
                assert!(SearchState::decode(&bytes[..cut]).is_err(), "{cut}");
            }
        }
        Ok(())
    }
}
