//! Applies an announced change to the copy: it makes the rows that the server wrote.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use serde::Deserialize;

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    layer::Layer,
    patch::JsonPatch,
    rules::Rules,
    value::{self, Object, Value},
};
use nacre_store::{
    history::WHOLE_EVERY,
    moment::Moment,
    record::{Change, Record, State, Version},
    store::{Reads, Write},
};

/// A `change` message. Members that are not needed are ignored.
#[derive(Deserialize)]
struct ChangeText {
    seq: u64,
    level: String,
    context_id: String,
    version: u64,
    by: String,
    patch: Value,
    action: String,
    at: String,
    parent: Option<String>,
    rules: Option<Object>,
}

/// One announced change.
pub(super) struct Announced {
    pub(super) seq: u64,
    pub(super) address: Address,
    pub(super) version: u64,
    by: User,
    patch: JsonPatch,
    change: Change,
    at: Moment,
    parent: Option<ContextId>,
    rules: Option<Rules>,
}

impl Announced {
    /// Reads a message.
    ///
    /// # Errors
    /// The errors of its parts.
    pub(super) fn read(message: Value) -> Result<Announced> {
        let text: ChangeText = value::decode_known(message)?;
        Ok(Announced {
            seq: text.seq,
            address: Address::parse(&text.level, &text.context_id)?,
            version: text.version,
            by: User::parse(&text.by)?,
            patch: JsonPatch::parse(text.patch)?,
            change: Change::parse(&text.action)?,
            at: Moment::parse(&text.at)?,
            parent: text.parent.as_deref().map(ContextId::parse).transpose()?,
            rules: text.rules.as_ref().map(Rules::from_object).transpose()?,
        })
    }

    /// The rows of the change; none if the copy already has it.
    ///
    /// # Errors
    /// `history-expired` if the copy lacks an earlier change. Then it must be fetched again.
    pub(super) fn rows(&self, reads: &dyn Reads) -> Result<Vec<Write>> {
        let existing = reads.record(&self.address)?;
        let known = existing.as_ref().map_or(0, |record| record.version);
        if self.version <= known {
            return Ok(Vec::new());
        }
        if self.version != known + 1 {
            return Err(gap());
        }
        let before = existing.as_ref().map(|record| State::of(record));
        let mut data = match &before {
            Some(before) => before.layer.to_value()?,
            None => Value::Object(Object::new()),
        };
        self.patch.apply(&mut data).map_err(|_| gap())?;
        let rules = match (&self.rules, &before) {
            (Some(rules), _) => Rc::new(rules.clone()),
            // Rules are left out if they did not change, also across a delete.
            (None, Some(before)) => before.rules.clone(),
            _ => Rc::default(),
        };
        let layer = Rc::new(Layer::from_value(&data)?);
        let state = State { layer, rules, parent: self.parent.clone() };
        let undo = before.as_ref().map(|before| state.undo_to(before)).transpose()?;
        let full = self.version.is_multiple_of(WHOLE_EVERY).then(|| Box::new(state.clone()));
        let version = Version {
            address: self.address.clone(),
            version: self.version,
            seq: self.seq,
            at: self.at,
            by: self.by.clone(),
            summary: None,
            change: self.change,
            undo,
            full,
        };
        let record = Record {
            address: self.address.clone(),
            parent: state.parent,
            version: self.version,
            seq: self.seq,
            layer: state.layer,
            rules: state.rules,
            created_at: existing
                .filter(|_| self.change != Change::Create)
                .map_or(self.at, |record| record.created_at),
            updated_at: self.at,
            updated_by: self.by.clone(),
            deleted: (self.change == Change::Delete).then_some(self.seq),
        };
        Ok(Vec::from([Write::Version(version), Write::Record(Rc::new(record))]))
    }
}

fn gap() -> Error {
    Error::new(Code::HistoryExpired, "the replica has missed a change; fetch the store again")
}
