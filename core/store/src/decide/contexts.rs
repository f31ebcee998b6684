//! Writes to contexts: create, replace, edit, delete, restore, roll back, move.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use super::{
    draft::Draft,
    expect::Wanted,
    read::{known, seen},
    reveal::holds_sealed,
};
use crate::{
    limits,
    op::{Edit, Expect, Patch, Put},
    plan::{ContextReply, Reply, Shown},
    record::{Change, Record, State},
    store::{Filter, Reads, Write},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    layer::Layer,
    level::Level,
    patch::{append, merge_patch, unset},
    value::{Object, Value},
};

/// The id of a created parent if none is named.
const DEFAULT_PARENT: &str = "default";

impl Draft<'_, '_> {
    pub(super) fn put(&mut self, put: &Put) -> Result<Reply> {
        let existing = self.store.record(&put.address)?;
        let live = existing.clone().filter(|record| record.is_live());
        self.expect(put.expect, existing.as_ref(), &|_| {
            let (rules, parent) = (put.rules.as_ref(), put.parent.as_ref());
            Ok(Wanted { rules, parent, ..Wanted::data(Value::Object(put.data.clone())) })
        })?;
        let parent = self.parent_for(put, live.as_ref())?;
        let data = Value::Object(put.data.clone());
        let held = live.as_ref().map(|live| &*live.layer);
        let layer = self.take_in(data, &put.address, parent.as_ref(), held)?;
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
        Ok(self.context(record, live.is_none()))
    }

    pub(super) fn update(
        &mut self,
        address: &Address,
        patch: &Patch,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), &|base| edited(&base.layer, patch).map(Wanted::data))?;
        let data = match patch {
            Patch::Append { pointer, values } => {
                let mut document = live.layer.to_value()?;
                self.open_list(&mut document, pointer, &live)?;
                append(&mut document, pointer, values.clone())?;
                document
            }
            _ => edited(&live.layer, patch)?,
        };
        let layer = self.take_in(data, address, live.parent.as_ref(), Some(&live.layer))?;
        let state = State { layer, ..State::of(&live) };
        let record = self.advance(address, Some(&live), state, Change::Update, summary)?;
        Ok(self.context(record, false))
    }

    pub(super) fn delete(
        &mut self,
        address: &Address,
        cascade: bool,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), &|_| Ok(Wanted::default()))?;
        if !cascade && self.has_children(address)? {
            return Err(Error::new(
                Code::HasChildren,
                "the context has children; delete them first, or set `cascade`",
            ));
        }
        let filter = Filter { under: Some(address.clone()), ..Filter::default() };
        let taken = self.store.list(&filter, None, usize::MAX)?;
        // Lowest first, so that no context is ever without its parent.
        for listed in taken.iter().rev() {
            let record = self.live(&listed.address)?;
            let state = State::of(&record);
            self.advance(&record.address, Some(&record), state, Change::Delete, summary)?;
        }
        let record = self.store.record(address)?.ok_or_else(Error::not_found)?;
        Ok(Reply::Deleted { record, count: taken.len() })
    }

    fn has_children(&self, address: &Address) -> Result<bool> {
        let Some(level) = address.level.below() else { return Ok(false) };
        let parent = Some(address.id.clone());
        let filter = Filter { level: Some(level), parent, ..Filter::default() };
        Ok(!self.store.list(&filter, None, 1)?.is_empty())
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
        let whole = Edit::Restore { address: top.address.clone(), summary: None };
        self.asker.sight.permit_edit(&self.store, &whole)?;
        let mut all: Vec<Rc<Record>> = Vec::new();
        // In order of level, so that parents come back before their children.
        for listed in self.store.deleted_by(delete)? {
            let record = known(&self.store, &listed.address)?;
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
        let warnings = core::mem::take(&mut self.warnings);
        Ok(Reply::Restored { record, all, warnings })
    }

    pub(super) fn rollback(
        &mut self,
        address: &Address,
        version: u64,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        let old = seen(&self.store, self.asker.sight, &live, version)?;
        self.expect(expect, Some(&live), &|_| old.layer.to_value().map(Wanted::data))?;
        let parent = live.parent.clone();
        // The old version may hold what was not sensitive then.
        let data = old.layer.to_value()?;
        let layer = self.take_in(data, address, parent.as_ref(), Some(&old.layer))?;
        let state = State { layer, parent, ..old };
        let record = self.advance(address, Some(&live), state, Change::Rollback, summary)?;
        Ok(self.context(record, false))
    }

    pub(super) fn move_to(
        &mut self,
        address: &Address,
        parent: &ContextId,
        summary: Option<&str>,
        expect: Expect,
    ) -> Result<Reply> {
        let live = self.live(address)?;
        self.expect(expect, Some(&live), &|base| {
            Ok(Wanted { parent: Some(parent), ..Wanted::data(base.layer.to_value()?) })
        })?;
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
            return Ok(self.context(live, false));
        }
        let layer =
            self.take_in(live.layer.to_value()?, address, Some(parent), Some(&live.layer))?;
        let state = State { layer, parent: Some(parent.clone()), ..State::of(&live) };
        let record = self.advance(address, Some(&live), state, Change::Move, summary)?;
        self.reseal_below(address, summary)?;
        Ok(self.context(record, false))
    }

    pub(super) fn context(&mut self, record: Rc<Record>, created: bool) -> Reply {
        let mut warnings = core::mem::take(&mut self.warnings);
        warnings.truncate(limits::WARNINGS);
        let reply = ContextReply { created, warnings, ..ContextReply::of(Shown::Whole(record)) };
        Reply::Context(Box::new(reply))
    }

    /// Gives the secrets below a moved context the markers of their new project.
    fn reseal_below(&mut self, address: &Address, summary: Option<&str>) -> Result<()> {
        let filter = Filter { under: Some(address.clone()), ..Filter::default() };
        for listed in self.store.list(&filter, None, usize::MAX)? {
            let record = self.live(&listed.address)?;
            self.work(record.layer.text().len())?;
            if record.address != *address && holds_sealed(&record.layer) {
                let (data, parent) = (record.layer.to_value()?, record.parent.as_ref());
                let layer = self.take_in(data, &record.address, parent, Some(&record.layer))?;
                let state = State { layer, ..State::of(&record) };
                self.advance(&record.address, Some(&record), state, Change::Update, summary)?;
            }
        }
        Ok(())
    }

    /// The new parent of a put context. Creates missing parents on request.
    pub(super) fn parent_for(
        &mut self,
        put: &Put,
        live: Option<&Rc<Record>>,
    ) -> Result<Option<ContextId>> {
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
            let made = Edit::Put(Put {
                address,
                data: Object::default(),
                parent: None,
                rules: None,
                summary: None,
                create_parents: true,
                expect: Expect::Anything,
            });
            // It may be in another project than the context that it is created for.
            self.asker.sight.permit_edit(&self.store, &made)?;
            self.edit(&made)?;
        }
        Ok(Some(parent))
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

/// The layer's document after a patch.
pub fn edited(layer: &Layer, patch: &Patch) -> Result<Value> {
    let mut value = layer.to_value()?;
    match patch {
        Patch::Merge(patch) => merge_patch(&mut value, patch.clone()),
        Patch::Json(patch) => patch.apply(&mut value)?,
        Patch::Unset(pointers) => unset(&mut value, pointers)?,
        Patch::Append { pointer, values } => append(&mut value, pointer, values.clone())?,
    }
    match value {
        Value::Object(_) => Ok(value),
        _ => {
            Err(Error::new(Code::InvalidRequest, "the data of a context must be an object").at(""))
        }
    }
}

fn missing_parent() -> Error {
    Error::new(
        Code::ParentNotFound,
        "the parent does not exist; create it first, or set `create_parents`",
    )
    .at("/parent")
}
