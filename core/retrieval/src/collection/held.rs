//! The contexts of a collection, as the store that a search reads.

use alloc::{
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    layer::Layer,
    marker::Fingerprint,
    rules::Rules,
    value::{Object, Value},
};
use nacre_store::{
    moment::Moment,
    record::{Audit, Entry, EntryId, EntryKind, Heading, Member, Record, Replay, Secret, Version},
    revocation::Revocation,
    sheet::{Sheet, SheetKind},
    store::{AsOf, Filter, Reads},
};
use nacre_wire::{members::Members, read_json};

use super::ContextTexts;

/// A context with what belongs to it.
struct Context {
    record: Rc<Record>,
    /// The insights, then the notes on progress, each the newest first.
    entries: Vec<Entry>,
}

/// All contexts that were handed over, by address. A list takes less code than a map, and a replica
/// hands them over nearly in order.
#[derive(Default)]
pub(super) struct Held(Vec<Context>);

impl Held {
    /// Takes a context; gives its address, and whether its data is that of the state before.
    ///
    /// # Errors
    /// `invalid-request` for other JSON.
    pub(super) fn put(&mut self, given: &ContextTexts<'_>) -> Result<(Address, bool)> {
        let record = record(read_json(given.context.as_bytes())?, given.seq)?;
        let address = record.address.clone();
        let mut entries = entries(given.insights, &address, EntryKind::Insight)?;
        entries.extend(self::entries(given.progress, &address, EntryKind::Progress)?);
        let context = Context { record: Rc::new(record), entries };
        let hash = context.record.layer.hash();
        let is_same = match self.place(&address) {
            Ok(place) => self
                .0
                .get_mut(place)
                .is_some_and(|held| core::mem::replace(held, context).record.layer.hash() == hash),
            Err(place) => {
                self.0.insert(place, context);
                false
            }
        };
        Ok((address, is_same))
    }

    /// Forgets a context.
    pub(super) fn remove(&mut self, address: &Address) {
        if let Ok(place) = self.place(address) {
            self.0.remove(place);
        }
    }

    /// A context that is there.
    pub(super) fn live(&self, address: &Address) -> Option<Rc<Record>> {
        self.context(address).map(|context| context.record.clone())
    }

    fn context(&self, address: &Address) -> Option<&Context> {
        self.0.get(self.place(address).ok()?)
    }

    /// Where a context is, or where it would be.
    fn place(&self, address: &Address) -> core::result::Result<usize, usize> {
        self.0.binary_search_by(|context| context.record.address.cmp(address))
    }
}

/// Reads a context as a read of one gives it.
fn record(context: Value, seq: u64) -> Result<Record> {
    let mut context = Members::of(context)?;
    let mut text = |name| context.required::<String>(name);
    let address = Address::parse(&text("level")?, &text("id")?)?;
    let (created_at, updated_at) = (text("created_at")?, text("updated_at")?);
    let updated_by = text("updated_by")?;
    let parent: Option<String> = context.take("parent")?;
    let rules: Object = context.required("rules")?;
    let data: Value = context.required("data")?;
    let heading = Heading {
        address,
        parent: parent.as_deref().map(ContextId::parse).transpose()?,
        version: context.required("version")?,
        seq,
        rules: Rc::new(Rules::from_object(&rules)?),
        created_at: Moment::parse(&created_at)?,
        updated_at: Moment::parse(&updated_at)?,
        updated_by: User::parse(&updated_by)?,
        deleted: None,
    };
    Ok(Record { heading: Rc::new(heading), layer: Rc::new(Layer::from_value(&data)?) })
}

/// Reads the items of a page of insights or notes on progress.
fn entries(items: &str, address: &Address, kind: EntryKind) -> Result<Vec<Entry>> {
    match read_json(items.as_bytes())? {
        Value::Array(items) => items.into_iter().map(|item| entry(item, address, kind)).collect(),
        _ => Err(odd()),
    }
}

fn entry(item: Value, address: &Address, kind: EntryKind) -> Result<Entry> {
    let mut item = Members::of(item)?;
    let mut text = |name| item.required::<String>(name);
    let (id, at, by) = (text("id")?, text("at")?, text("by")?);
    let content = text("content")?;
    Ok(Entry {
        address: address.clone(),
        kind,
        id: EntryId::parse(&id).ok_or_else(odd)?,
        at: Moment::parse(&at)?,
        by: User::parse(&by)?,
        content,
        // Not searched.
        category: None,
        importance: None,
        agent: None,
    })
}

fn odd() -> Error {
    Error::new(Code::InvalidRequest, "this is not what reads of the store give".to_string())
}

/// A search reads records and entries. There is nothing else here.
impl Reads for Held {
    fn seq(&self) -> Result<u64> {
        Ok(0)
    }

    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        Ok(self.live(address))
    }

    fn entries(
        &self,
        address: &Address,
        kind: EntryKind,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let entries = self.context(address).map_or(&[][..], |context| &context.entries);
        let wanted =
            |entry: &&Entry| entry.kind == kind && before.is_none_or(|before| entry.id < before);
        Ok(entries.iter().filter(wanted).take(limit).cloned().collect())
    }

    fn list(&self, _: &Filter, _: Option<&Address>, _: usize) -> Result<Vec<Rc<Heading>>> {
        Ok(Vec::new())
    }

    fn deleted_by(&self, _: u64) -> Result<Vec<Rc<Heading>>> {
        Ok(Vec::new())
    }

    fn versions_from(&self, _: &Address, _: u64, _: usize) -> Result<Vec<Version>> {
        Ok(Vec::new())
    }

    fn versions_before(&self, _: &Address, _: Option<u64>, _: usize) -> Result<Vec<Version>> {
        Ok(Vec::new())
    }

    fn version_as_of(&self, _: &Address, _: AsOf) -> Result<Option<Version>> {
        Ok(None)
    }

    fn replay(&self, _: &User, _: &str) -> Result<Option<Replay>> {
        Ok(None)
    }

    fn members(&self, _: Option<&User>) -> Result<Vec<Member>> {
        Ok(Vec::new())
    }

    fn each_revocation(&self, _: &mut dyn FnMut(&Revocation)) -> Result<()> {
        Ok(())
    }

    fn sheet(&self, _: SheetKind, _: &str) -> Result<Option<Sheet>> {
        Ok(None)
    }

    fn sheets(&self, _: SheetKind, _: bool, _: Option<&str>, _: usize) -> Result<Vec<Sheet>> {
        Ok(Vec::new())
    }

    fn audit(&self, _: Option<u64>, _: usize) -> Result<Vec<Audit>> {
        Ok(Vec::new())
    }

    fn secret(&self, _: &Fingerprint) -> Result<Option<Secret>> {
        Ok(None)
    }
}
