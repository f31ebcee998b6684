//! Writes to contexts: create, replace, edit, delete, restore, roll back, move.

use alloc::{boxed::Box, format, rc::Rc, vec::Vec};

use super::{draft::Draft, permit::permit};
use crate::{
    entropy::Entropy,
    history::state_at,
    op::{Edit, Expect, Op, Put},
    plan::{ContextReply, Reply},
    record::{Change, Record, State},
    seal,
    store::{Filter, Reads, Write},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Conflict, Error, Result},
    id::ContextId,
    layer::Layer,
    level::Level,
    patch::{append, merge_patch, unset},
    pointer::Pointer,
    sort::distinct,
    value::{Object, Value},
};

/// The id of a created parent if none is named.
const DEFAULT_PARENT: &str = "default";

impl Draft<'_, '_> {
    pub(super) fn put(&mut self, put: &Put) -> Result<Reply> {
        let existing = self.store.record(&put.address)?;
        let live = existing.clone().filter(|record| record.is_live());
        self.expect(put.expect, live.as_ref(), || Ok(Value::Object(put.data.clone())))?;
        let parent = self.parent_for(put, live.as_ref())?;
        let layer = self.take_in(Value::Object(put.data.clone()))?;
        let rules = match (&put.rules, &live) {
            (Some(rules), _) => Rc::new(rules.clone()),
            (None, Some(live)) => live.rules.clone(),
            (None, None) => Rc::default(),
        };
        if live.is_none() && existing.is_some() && put.address.level == Level::Project {
            self.expel_all(&put.address.id)?;
        }
        let change = if live.is_some() { Change::Update } else { Change::Create };
        let state = State { layer, rules, parent };
        let record =
            self.advance(&put.address, existing.as_ref(), state, change, put.summary.as_deref())?;
        Ok(context(record, live.is_none()))
    }

    pub(super) fn update(
        &mut self,
        address: &Address,
        edit: &Edit,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), || {
            // The document that the caller wanted: their edit, applied to the version they knew.
            let Expect::Version(base) = expect else { return live.layer.to_value() };
            let (_, base) = state_at(&self.store, &live, base)?;
            edited(&base.layer, edit)
        })?;
        let layer = self.take_in(edited(&live.layer, edit)?)?;
        let state = State { layer, ..State::of(&live) };
        let record = self.advance(address, Some(&live), state, Change::Update, summary)?;
        Ok(context(record, false))
    }

    pub(super) fn delete(
        &mut self,
        address: &Address,
        cascade: bool,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), || Ok(Value::Object(Object::default())))?;
        let filter = Filter { under: Some(address.clone()), ..Filter::default() };
        let taken = self.store.list(&filter, None, if cascade { usize::MAX } else { 2 })?;
        if !cascade && taken.len() > 1 {
            return Err(Error::new(
                Code::HasChildren,
                "the context has children; delete them first, or set `cascade`",
            ));
        }
        // Lowest first, so that no context is ever without its parent.
        for record in taken.iter().rev() {
            let state = State::of(record);
            self.advance(&record.address, Some(record), state, Change::Delete, summary)?;
        }
        let record = self.store.record(address)?.ok_or_else(Error::not_found)?;
        Ok(Reply::Deleted { record, count: taken.len() })
    }

    pub(super) fn restore(&mut self, address: &Address, summary: Option<&str>) -> Result<Reply> {
        let record = self.store.record(address)?.ok_or_else(Error::not_found)?;
        let Some(delete) = record.deleted else {
            return Err(Error::new(
                Code::AlreadyExists,
                "the context is not deleted, so it cannot be restored",
            ));
        };
        // One commit may contain several deletes; the contexts of this one are connected.
        let mut top = record;
        while let Some(above) = top.above()
            && let Some(above) = self.store.record(&above)?
            && above.deleted == Some(delete)
        {
            top = above;
        }
        let whole = Op::Restore { address: top.address.clone(), summary: None };
        permit(&self.store, self.caller, &whole)?;
        let mut all: Vec<Rc<Record>> = Vec::new();
        // In order of level, so that parents come back before their children.
        for record in self.store.deleted_by(delete)? {
            let is_back =
                |address: &Address| all.binary_search_by(|back| back.address.cmp(address)).is_ok();
            if record.address != top.address && !record.above().is_some_and(|up| is_back(&up)) {
                continue;
            }
            let parent = record.above().filter(|above| above.level != Level::Global);
            if let Some(parent) = parent
                && !self.store.record(&parent)?.is_some_and(|parent| parent.is_live())
            {
                return Err(Error::new(
                    Code::ParentNotFound,
                    "the parent is deleted; restore the parent first",
                ));
            }
            let state = State::of(&record);
            let (address, change) = (record.address.clone(), Change::Restore);
            all.push(self.advance(&address, Some(&record), state, change, summary)?);
        }
        let record = self.live(address)?;
        Ok(Reply::Restored { record, all })
    }

    pub(super) fn rollback(
        &mut self,
        address: &Address,
        version: u64,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        let (_, old) = state_at(&self.store, &live, version)?;
        self.expect(expect, Some(&live), || old.layer.to_value())?;
        let state = State { parent: live.parent.clone(), ..old };
        let record = self.advance(address, Some(&live), state, Change::Rollback, summary)?;
        Ok(context(record, false))
    }

    pub(super) fn move_to(
        &mut self,
        address: &Address,
        parent: &ContextId,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), || live.layer.to_value())?;
        let above = match Address::above(address.level, parent) {
            Some(above) if above.level != Level::Global => above,
            _ => {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "only a branch or a task can be moved",
                ));
            }
        };
        if !self.store.record(&above)?.is_some_and(|record| record.is_live()) {
            let detail = "the parent does not exist; create it first";
            return Err(Error::new(Code::ParentNotFound, detail).at("/parent"));
        }
        if live.parent.as_ref() == Some(parent) {
            return Ok(context(live, false));
        }
        let state = State { parent: Some(parent.clone()), ..State::of(&live) };
        let record = self.advance(address, Some(&live), state, Change::Move, summary)?;
        Ok(context(record, false))
    }

    /// The new parent of a put context. Creates missing parents on request.
    fn parent_for(&mut self, put: &Put, live: Option<&Rc<Record>>) -> Result<Option<ContextId>> {
        let level = put.address.level;
        let Some(above) = level.above() else {
            return match &put.parent {
                None => Ok(None),
                Some(_) => {
                    Err(Error::new(Code::InvalidRequest, "a global context must not have a parent")
                        .at("/parent"))
                }
            };
        };
        if above == Level::Global {
            return match &put.parent {
                Some(parent) if parent.as_str() != Level::Global.as_str() => Err(Error::new(
                    Code::InvalidRequest,
                    "the parent of a project must be `global`",
                )
                .at("/parent")),
                _ => Ok(Some(ContextId::global())),
            };
        }
        let parent = match (&put.parent, live) {
            (Some(parent), _) => parent.clone(),
            (None, Some(live)) => return Ok(live.parent.clone()),
            (None, None) if put.create_parents => ContextId::parse(DEFAULT_PARENT)?,
            (None, None) => {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "`parent` is required for a new branch or task, unless `create_parents` is set",
                )
                .at("/parent"));
            }
        };
        let address = Address { level: above, id: parent.clone() };
        if !self.store.record(&address)?.is_some_and(|record| record.is_live()) {
            if !put.create_parents {
                return Err(missing_parent());
            }
            let made = Op::Put(Put {
                address,
                data: Object::default(),
                parent: None,
                rules: None,
                summary: None,
                create_parents: true,
                expect: Expect::Anything,
            });
            // It may be in another project than the context that it is created for.
            permit(&self.store, self.caller, &made)?;
            self.perform(&made)?;
        }
        Ok(Some(parent))
    }

    /// Refuses a write that expects another version than the current one.
    ///
    /// `wanted` is the document the caller meant to end up with; the answer names every path on
    /// which it and the current document both differ from the version the caller knew.
    fn expect(
        &self,
        expect: Expect,
        live: Option<&Rc<Record>>,
        wanted: impl FnOnce() -> Result<Value>,
    ) -> Result<()> {
        match (expect, live) {
            (Expect::Anything, _) | (Expect::Absent | Expect::NoneMatch, None) => Ok(()),
            (Expect::Present, Some(_)) => Ok(()),
            (Expect::Version(version), Some(live)) if version == live.version => Ok(()),
            (Expect::Absent, Some(live)) => {
                Err(Error::new(Code::AlreadyExists, "a context with this id already exists")
                    .current_version(live.version))
            }
            (Expect::NoneMatch, Some(live)) => {
                Err(Error::new(Code::VersionConflict, "a context with this id already exists")
                    .current_version(live.version))
            }
            (Expect::Present | Expect::Version(_), None) => Err(Error::new(
                Code::VersionConflict,
                "the context does not exist, so it has no version to match",
            )),
            (Expect::Version(version), Some(live)) => {
                let error = Error::new(
                    Code::VersionConflict,
                    "another write came first; read the current version and try again",
                )
                .current_version(live.version);
                // Conflicts are optional help: if the history of that version is not kept, the list
                // is empty.
                let conflicts = state_at(&self.store, live, version).and_then(|(_, base)| {
                    conflicts(&base.layer, &live.layer, &self.as_sealed(wanted()?)?)
                });
                Err(error.conflicts(conflicts.unwrap_or_default()))
            }
        }
    }

    /// A document as it would be stored, for an error without secrets. The sealed secrets are
    /// dropped, so they need no randomness.
    fn as_sealed(&self, mut data: Value) -> Result<Value> {
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let known = |fingerprint: &_| Ok(self.store.secret(fingerprint)?.is_some());
        let mut entropy = Entropy::from_seed([0; 32]);
        seal::seal_fields(&mut data, self.setting.names, keys, &mut entropy, &known)?;
        Ok(data)
    }

    /// A project that is created again is not shared with the members of the previous one.
    fn expel_all(&mut self, project: &ContextId) -> Result<()> {
        for member in self.store.members(None)? {
            if member.project == *project {
                self.write(Write::Expel { user: member.user, project: member.project });
            }
        }
        Ok(())
    }
}

/// The layer's document after an edit.
pub fn edited(layer: &Layer, edit: &Edit) -> Result<Value> {
    let mut value = layer.to_value()?;
    match edit {
        Edit::Merge(patch) => merge_patch(&mut value, patch.clone()),
        Edit::Json(patch) => patch.apply(&mut value)?,
        Edit::Unset(pointers) => unset(&mut value, pointers)?,
        Edit::Append { pointer, values } => append(&mut value, pointer, values.clone())?,
    }
    match value {
        Value::Object(_) => Ok(value),
        _ => {
            Err(Error::new(Code::InvalidRequest, "the data of a context must be an object").at(""))
        }
    }
}

/// Paths on which `current` and `wanted` both differ from `base`, and from each other.
fn conflicts(base: &Layer, current: &Layer, wanted: &Value) -> Result<Vec<Conflict>> {
    let changes = diff(base, current)?;
    let wanted = Layer::from_value(wanted)?;
    let mine = diff(base, &wanted)?;
    let read = |layer: &Layer, pointer: &Pointer| {
        layer
            .get(pointer)
            .map(|text| nacre_layers::json::read(text, crate::limits::DEPTH))
            .transpose()
    };
    let theirs = distinct(changes.operations.iter().map(|their| their.path().as_str()).collect());
    let mut met = Vec::new();
    for my in &mine.operations {
        // The upper one of two edits that meet: theirs at or above mine, or mine above theirs.
        let mut above = my.path().clone();
        let is_met = loop {
            if theirs.binary_search(&above.as_str()).is_ok() {
                break true;
            }
            if !above.pop() {
                above = my.path().clone();
                let below = format!("{above}/");
                let next = theirs.get(theirs.partition_point(|their| *their < below.as_str()));
                break next.is_some_and(|their| their.starts_with(&below));
            }
        };
        if is_met && current.get(&above) != wanted.get(&above) {
            met.push(above);
        }
    }
    let mut found = Vec::with_capacity(met.len());
    for pointer in distinct(met) {
        found.push(Conflict {
            base: read(base, &pointer)?,
            current: read(current, &pointer)?,
            yours: read(&wanted, &pointer)?,
            pointer: pointer.into(),
        });
    }
    Ok(found)
}

fn missing_parent() -> Error {
    Error::new(
        Code::ParentNotFound,
        "the parent does not exist; create it first, or set `create_parents`",
    )
    .at("/parent")
}

pub(super) fn context(record: Rc<Record>, created: bool) -> Reply {
    Reply::Context(Box::new(ContextReply { record, revealed: None, created, data: true }))
}
