//! Applies an announced change or entry to the copy: it makes the rows that the server wrote.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use super::{flight::member, odd};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    layer::Layer,
    patch::JsonPatch,
    rules::Rules,
    value::{Object, Value},
};
use nacre_store::{
    history::WHOLE_EVERY,
    moment::Moment,
    record::{Change, Entry, EntryId, EntryKind, Heading, Record, State, Version},
    store::{Reads, Write},
};
use nacre_wire::members::Members;

/// The row of an `entry` message; `None` for another message.
///
/// # Errors
/// `store-unavailable` for a message that is not from a server.
pub(super) fn entry(message: &Value) -> Result<Option<Write>> {
    let Some(Value::Object(entry)) = member(message, "entry") else { return Ok(None) };
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let of = |name: &str| member(message, name).and_then(Value::as_str).ok_or_else(odd);
    let action = of("action")?;
    Ok(Some(Write::Entry(Entry {
        address: Address::parse(of("level")?, of("context_id")?)?,
        kind: [EntryKind::Insight, EntryKind::Progress]
            .into_iter()
            .find(|kind| kind.deed() == action)
            .ok_or_else(odd)?,
        id: text("id").and_then(EntryId::parse).ok_or_else(odd)?,
        at: Moment::parse(text("at").ok_or_else(odd)?)?,
        by: User::parse(text("by").ok_or_else(odd)?)?,
        content: text("content").ok_or_else(odd)?.into(),
        category: text("category").map(Into::into),
        importance: entry
            .get("importance")
            .and_then(Value::as_number)
            .map(|number| number.as_f64()),
        agent: text("agent").map(Into::into),
    })))
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
    /// A context came into what the copy follows: the patch is from `{}`.
    entered: bool,
    /// It went out: in the copy it counts as deleted.
    left: bool,
}

impl Announced {
    /// Reads a message. Members that are not needed are ignored.
    ///
    /// # Errors
    /// The errors of its parts.
    pub(super) fn read(message: Value) -> Result<Announced> {
        let mut members = Members::of(message)?;
        let mut text = |name| members.required::<String>(name);
        let address = Address::parse(&text("level")?, &text("context_id")?)?;
        let by = User::parse(&text("by")?)?;
        let (change, at) = (Change::parse(&text("action")?)?, Moment::parse(&text("at")?)?);
        let parent = members.take::<String>("parent")?;
        let rules = members.take::<Object>("rules")?;
        Ok(Announced {
            seq: members.required("seq")?,
            address,
            version: members.required("version")?,
            by,
            patch: JsonPatch::parse(members.required("patch")?)?,
            change,
            at,
            parent: parent.as_deref().map(ContextId::parse).transpose()?,
            rules: rules.as_ref().map(Rules::from_object).transpose()?,
            entered: members.flag("entered")?,
            left: members.flag("left")?,
        })
    }

    /// The rows of the change; none if the copy already has it.
    ///
    /// # Errors
    /// `history-expired` if the copy lacks an earlier change. Then it must be fetched again.
    pub(super) fn rows(&self, reads: &dyn Reads) -> Result<Vec<Write>> {
        let existing = reads.record(&self.address)?;
        let known = existing.as_ref().map_or(0, |record| record.version);
        if self.left {
            return Ok(existing.iter().map(|record| self.farewell(record)).collect());
        }
        let is_back = self.entered && !existing.as_ref().is_some_and(|record| record.is_live());
        if self.version <= known && !is_back {
            return Ok(Vec::new());
        }
        if self.version != known + 1 && !self.entered {
            return Err(gap());
        }
        let existing = existing.filter(|_| !self.entered);
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
            heading: Rc::new(Heading {
                address: self.address.clone(),
                parent: state.parent,
                version: self.version,
                seq: self.seq,
                rules: state.rules,
                created_at: existing
                    .filter(|_| self.change != Change::Create)
                    .map_or(self.at, |record| record.created_at),
                updated_at: self.at,
                updated_by: self.by.clone(),
                deleted: (self.change == Change::Delete).then_some(self.seq),
            }),
            layer: state.layer,
        };
        Ok(Vec::from([Write::Version(version), Write::Record(Rc::new(record))]))
    }

    fn farewell(&self, record: &Rc<Record>) -> Write {
        let deleted = Some(self.seq);
        let heading = Heading { version: self.version, deleted, ..(*record.heading).clone() };
        Write::Record(Rc::new(Record { heading: Rc::new(heading), layer: record.layer.clone() }))
    }
}

fn gap() -> Error {
    Error::new(Code::HistoryExpired, "the replica has missed a change; fetch the store again")
}
