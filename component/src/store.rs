//! `store`: a store in memory, which applies each decision of the core.

mod arguments;

use alloc::{rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use nacre_core::{
    access::Scopes,
    credentials,
    decide::{Setting, decide_alone},
    entropy::Entropy,
    error::{Error, Result},
    id::User,
    limits,
    memory::MemoryStore,
    moment::Moment,
    op::{
        Administration, Caller, Command, Idempotency, Import, Inspection, Read, Request, Resolve,
    },
    plan::Reply,
    pointer::Pointer,
    seal::{Keyring, SealContent},
    sensitive::SensitiveNames,
    store::Reads,
    wire::{
        Answer, Cursor, Export, import, open_export,
        operation::{BatchBody, PreviewBody, item},
        remember, request,
    },
};

use crate::{
    Component,
    bindings::exports::nacre::context::{
        store::{self as wit, Guest, GuestLines, GuestStore},
        types,
    },
    bounds::{check_memory, check_text},
    convert::json_text,
    documents::body,
};
use arguments::{check_export, entropy, limit};

/// Least size of a part of an export, in bytes, so that small contexts are handed over together.
const PART: usize = 256 << 10;

/// The rows, and the owner with their keys.
struct Inner {
    owner: User,
    keys: Keyring,
    names: SensitiveNames,
    rows: MemoryStore<'static>,
}

/// A store, shared with running exports.
pub(crate) struct Store(Rc<RefCell<Inner>>);

/// A running export.
pub(crate) struct Lines {
    store: Rc<RefCell<Inner>>,
    export: RefCell<Export>,
}

impl Guest for Component {
    type Store = Store;
    type Lines = Lines;
}

impl Inner {
    /// Decides a request and applies its writes. Returns the reply and the store's `seq`.
    fn decide(
        &mut self,
        command: Command,
        idempotency: Option<Idempotency>,
        at: Moment,
        mut entropy: Entropy,
    ) -> Result<(Reply, u64)> {
        let names = &self.names;
        let content = SealContent::Seal(credentials::find);
        let keys = Some(&self.keys as _);
        let mut setting = Setting { at, entropy: &mut entropy, keys, names, content };
        let (user, owner) = (self.owner.clone(), self.owner.clone());
        let scopes = Scopes::UNSTATED.with(Scopes::REVEAL);
        let request =
            Request { caller: Caller { user, owner, scopes }, command, idempotency, id: None };
        let mut plan = decide_alone(&self.rows, &mut setting, &request)?;
        remember(&mut plan, Answer::alone)?;
        self.rows.apply(&plan.writes);
        Ok((plan.reply, plan.seq))
    }
}

impl Store {
    /// Creates a store with new keys, and with what an export holds.
    fn begin(owner: &str, seed: Vec<u8>, export: Option<&[u8]>) -> Result<wit::Store> {
        let (owner, mut entropy) = (User::parse(owner)?, entropy(seed)?);
        let (keys, names) = (Keyring::in_memory(&mut entropy)?, SensitiveNames::default());
        let rows = match export {
            Some(lines) => open_export(lines, &names, &keys, &mut entropy)?,
            None => MemoryStore::new(),
        };
        let inner = Inner { owner, keys, names, rows };
        Ok(wit::Store::new(Store(Rc::new(RefCell::new(inner)))))
    }

    fn write(
        &self,
        command: impl Into<Command>,
        idempotency: Option<Idempotency>,
        now: u64,
        seed: Vec<u8>,
    ) -> Result<Answer> {
        check_memory()?;
        let mut store = self.0.try_borrow_mut().map_err(|_| in_use())?;
        let (reply, seq) =
            store.decide(command.into(), idempotency, Moment(now), entropy(seed)?)?;
        Answer::alone(&reply, seq)
    }

    /// A read needs no time and no randomness.
    fn read(&self, question: impl Into<Command>) -> Result<Answer> {
        check_memory()?;
        let mut store = self.0.try_borrow_mut().map_err(|_| in_use())?;
        let (reply, seq) =
            store.decide(question.into(), None, Moment(0), Entropy::from_seed([0; 32]))?;
        Answer::alone(&reply, seq)
    }

    /// A read whose answer is a body only.
    fn read_text(&self, question: impl Into<Command>) -> Result<String, types::Error> {
        Ok(json_text(self.read(question)?.body))
    }
}

impl GuestStore for Store {
    fn create(owner: String, seed: Vec<u8>) -> Result<wit::Store, types::Error> {
        Ok(Store::begin(&owner, seed, None)?)
    }

    fn open(owner: String, lines: String, seed: Vec<u8>) -> Result<wit::Store, types::Error> {
        check_memory()?;
        Ok(Store::begin(&owner, seed, Some(check_export(&lines)?))?)
    }

    fn seq(&self) -> u64 {
        self.0.try_borrow().ok().and_then(|store| store.rows.seq().ok()).unwrap_or_default()
    }

    fn run(
        &self,
        operation: String,
        now: u64,
        entropy: Vec<u8>,
    ) -> Result<wit::Answer, types::Error> {
        let item = item(body(&operation)?)?;
        Ok(self.write(item.op, item.idempotency, now, entropy)?.into())
    }

    fn batch(
        &self,
        operations: String,
        now: u64,
        entropy: Vec<u8>,
    ) -> Result<wit::Answer, types::Error> {
        let batch: BatchBody = request::decode(body(&operations)?)?;
        Ok(self.write(batch.into_batch()?, None, now, entropy)?.into())
    }

    fn import_lines(
        &self,
        lines: String,
        mode: wit::ImportMode,
        now: u64,
        entropy: Vec<u8>,
    ) -> Result<wit::Answer, types::Error> {
        let lines = check_text(&lines)?
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
            .map(import::line)
            .take(limits::BATCH_OPERATIONS + 1)
            .collect();
        let import = Administration::Import(Import { mode: mode.into(), lines });
        Ok(self.write(import, None, now, entropy)?.into())
    }

    fn preview(
        &self,
        address: types::Address,
        trial: String,
        now: u64,
        entropy: Vec<u8>,
    ) -> Result<String, types::Error> {
        let trial: PreviewBody = request::decode(body(&trial)?)?;
        Ok(json_text(self.write(trial.into_read(address.try_into()?)?, None, now, entropy)?.body))
    }

    fn get(
        &self,
        address: types::Address,
        which: wit::Which,
        reveal: bool,
    ) -> Result<wit::Answer, types::Error> {
        let address = address.try_into()?;
        Ok(self.read(Read::Get { address, which: which.into(), reveal })?.into())
    }

    fn view(
        &self,
        address: types::Address,
        options: wit::ViewOptions,
    ) -> Result<wit::Answer, types::Error> {
        let wit::ViewOptions { path, at, explain, reveal } = options;
        let question = Read::Resolve(Resolve {
            address: address.try_into()?,
            path: path.map(Pointer::parse).transpose()?,
            as_of: at.map(Into::into),
            explain,
            reveal,
        });
        Ok(self.read(question)?.into())
    }

    fn view_diff(
        &self,
        address: types::Address,
        before: types::AsOf,
        after: Option<types::AsOf>,
    ) -> Result<String, types::Error> {
        let (from, to) = (before.into(), after.map(Into::into));
        self.read_text(Read::ViewDiff { address: address.try_into()?, from, to })
    }

    fn contexts(
        &self,
        filter: wit::Filter,
        data: bool,
        page: wit::Page,
    ) -> Result<String, types::Error> {
        let after = page.cursor.as_deref().map(Cursor::read_list).transpose()?;
        let (filter, limit) = (filter.try_into()?, limit(&page)?);
        self.read_text(Read::List { filter, after, limit, data, reveal: false })
    }

    fn history(&self, address: types::Address, page: wit::Page) -> Result<String, types::Error> {
        let before = page.cursor.as_deref().map(Cursor::read_history).transpose()?;
        let (address, limit) = (address.try_into()?, limit(&page)?);
        self.read_text(Read::History { address, before, limit })
    }

    fn diff(
        &self,
        address: types::Address,
        from: u64,
        to: Option<u64>,
    ) -> Result<String, types::Error> {
        self.read_text(Read::Diff { address: address.try_into()?, from, to })
    }

    fn entries(
        &self,
        address: types::Address,
        kind: wit::EntryKind,
        page: wit::Page,
    ) -> Result<String, types::Error> {
        let before = page.cursor.as_deref().map(Cursor::read_entry).transpose()?;
        let (address, limit) = (address.try_into()?, limit(&page)?);
        self.read_text(Read::Entries { address, kind: kind.into(), before, limit, reveal: false })
    }

    fn audit(&self, page: wit::Page) -> Result<String, types::Error> {
        let before = page.cursor.as_deref().map(Cursor::read_audit).transpose()?;
        self.read_text(Inspection::Audit { before, limit: limit(&page)? })
    }

    fn export_lines(&self, reveal: bool) -> wit::Lines {
        let export = RefCell::new(Export::new(reveal));
        wit::Lines::new(Lines { store: Rc::clone(&self.0), export })
    }
}

impl GuestLines for Lines {
    fn next(&self) -> Result<Option<String>, types::Error> {
        check_memory()?;
        let mut store = self.store.try_borrow_mut().map_err(|_| in_use())?;
        let mut export = self.export.try_borrow_mut().map_err(|_| in_use())?;
        let mut text = Vec::new();
        while let Some(part) = export.next().filter(|_| text.len() < PART) {
            let (reply, _) =
                store.decide(part.into(), None, Moment(0), Entropy::from_seed([0; 32]))?;
            export.write(&reply, &mut text)?;
        }
        Ok((!text.is_empty()).then(|| json_text(text)))
    }
}

/// A component is never re-entered, so this cannot happen.
fn in_use() -> Error {
    Error::bug("the store is in use by another call")
}

impl From<Answer> for wit::Answer {
    fn from(answer: Answer) -> wit::Answer {
        let Answer { body, seq, etag, replayed, .. } = answer;
        let body = (!body.is_empty()).then(|| json_text(body));
        wit::Answer { body, seq, etag, replayed }
    }
}
