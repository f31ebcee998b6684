//! A store in memory with its keys, a clock that moves with every request, and the laws that hold
//! whatever is asked of it.

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::{Code, Error, Result},
    id::User,
    json,
    layer::Layer,
    limits,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Command, Idempotency, Read, Request, Resolve, Which},
    plan::{Plan, Reply},
    row::Row,
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    store::{Filter, Reads, Write},
    value::check_limits,
    wire::{self, Answer, remember},
};

/// Deepest JSON of an answer: data, inside of a list, inside of an answer.
const ANSWER_DEPTH: usize = limits::DEPTH + 8;

/// A store and what surrounds it.
pub struct World {
    store: MemoryStore<'static>,
    keys: Keyring,
    names: SensitiveNames,
    requests: u64,
}

impl Default for World {
    fn default() -> World {
        World {
            store: MemoryStore::new(),
            keys: ring(),
            names: SensitiveNames::default(),
            requests: 0,
        }
    }
}

impl World {
    /// What is stored.
    pub fn store(&self) -> &dyn Reads {
        &self.store
    }

    /// Decides a request and applies what was decided.
    ///
    /// # Errors
    /// What the request is refused with; never `internal` or `store-unavailable`.
    ///
    /// # Panics
    /// When a law is broken.
    pub fn ask(
        &mut self,
        command: impl Into<Command>,
        idempotency: Option<Idempotency>,
    ) -> Result<Reply> {
        let before = self.store.seq().expect("memory");
        match self.decide(command.into(), idempotency) {
            Ok(plan) => {
                let writes = !plan.writes.is_empty();
                self.store.apply(&plan.writes);
                let after = self.store.seq().expect("memory");
                assert_eq!(after, plan.seq);
                assert!(after == before || writes && after == before + 1);
                plan.writes.iter().for_each(rows);
                said(&plan);
                Ok(plan.reply)
            }
            Err(error) => {
                told(&error);
                Err(error)
            }
        }
    }

    fn decide(&mut self, command: Command, idempotency: Option<Idempotency>) -> Result<Plan> {
        self.requests += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.requests.to_le_bytes());
        let mut entropy = Entropy::from_seed(seed);
        let mut setting = Setting {
            at: Moment(self.requests * 1000),
            entropy: &mut entropy,
            keys: Some(&self.keys),
            names: &self.names,
            content: SealContent::Seal(credentials::find),
        };
        let scopes = Scopes::UNSTATED.with(Scopes::REVEAL);
        let caller = Caller { user: alice(), owner: alice(), scopes };
        let request = Request { caller, command, idempotency, id: None };
        let mut plan = decide(&self.store, &mut setting, &request)?;
        remember(&mut plan, Answer::of)?;
        Ok(plan)
    }

    /// Goes through everything that is stored: histories have no gap, every version can be read,
    /// every view is canonical and hashed as its text.
    ///
    /// # Panics
    /// When a law is broken.
    pub fn check(&mut self) {
        let live = self.store.list(&Filter::default(), None, usize::MAX).expect("memory");
        for context in live {
            let address = context.address.clone();
            let record = self.store.record(&address).expect("memory").expect("a listed context");
            let value = record.layer.to_value().expect("a layer is JSON");
            check_limits(&value).expect("nothing past the limits is stored");
            assert_eq!(json::write(&value), record.layer.text());
            for reveal in [false, true] {
                let op = Read::Resolve(Resolve {
                    address: address.clone(),
                    path: None,
                    as_of: None,
                    explain: true,
                    reveal,
                });
                let Ok(Reply::View(view)) = self.ask(op, None) else {
                    panic!("a view of {address}")
                };
                let indexed = Layer::from_canonical(view.view.text.clone()).expect("a view");
                assert_eq!(indexed.hash(), view.view.hash, "the hash of {address}'s view");
                let value = json::read(&view.view.text, limits::DEPTH).expect("a view is JSON");
                assert_eq!(json::write(&value), view.view.text);
            }
            self.history(&address, record.version, record.layer.text());
        }
        self.export();
    }

    /// Every line of an export is canonical, and can be imported; the whole opens as a store that
    /// exports the same.
    fn export(&mut self) {
        for reveal in [false, true] {
            let text = self.exported(reveal);
            text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| {
                canonical(line);
                wire::import::line(line).expect("an export can be imported");
            });
            let mut opened = World::opened(&text).expect("an export can be opened");
            assert_eq!(opened.exported(reveal), text);
        }
    }

    /// The lines of an export.
    pub fn exported(&mut self, reveal: bool) -> Vec<u8> {
        let (mut export, mut text) = (wire::Export::new(reveal), Vec::new());
        while let Some(op) = export.next() {
            let reply = self.ask(op, None).expect("a part of an export");
            export.write(&reply, &mut text).expect("an export can be said");
        }
        text
    }

    /// A world whose store is an opened export.
    ///
    /// # Errors
    /// What the export is refused with; never `internal` or `store-unavailable`.
    pub fn opened(export: &[u8]) -> Result<World> {
        let world = World::default();
        let mut entropy = Entropy::from_seed([2; 32]);
        match wire::open_export(export, &world.names, &world.keys, &mut entropy) {
            Ok(store) => Ok(World { store, ..world }),
            Err(error) => {
                told(&error);
                Err(error)
            }
        }
    }

    fn history(&mut self, address: &Address, newest: u64, text: &[u8]) {
        let versions = self.store.versions_from(address, 1, usize::MAX).expect("memory");
        assert!(versions.iter().map(|version| version.version).eq(1..=newest));
        for version in 1..=newest {
            let which = Which::Version(version);
            let get = Read::Get { address: address.clone(), which, reveal: true };
            let Ok(Reply::Context(context)) = self.ask(get, None) else {
                panic!("version {version} of {address} cannot be read")
            };
            assert_eq!(context.shown.version, version);
            if version == newest {
                assert_eq!(context.shown.layer().unwrap().text(), text);
            }
        }
        let op = Read::History { address: address.clone(), before: None, limit: limits::PAGE };
        self.ask(op, None).expect("a history");
    }
}

/// A user's keys.
pub fn ring() -> Keyring {
    let masters = MasterKeyring::parse(&format!("m1:{}=", "A".repeat(43))).expect("a master key");
    let wrapped = Keyring::create(&alice(), &masters, &mut Entropy::from_seed([1; 32]));
    Keyring::unwrap(&alice(), &wrapped.expect("new keys"), &masters).expect("their keys")
}

fn alice() -> User {
    User::parse("alice").expect("a user")
}

/// A refusal is the caller's fault and can be said.
fn told(error: &Error) {
    let code = error.code();
    assert!(!matches!(code, Code::Internal | Code::StoreUnavailable), "{error}");
    canonical(&wire::problem(error));
}

/// A reply can be said, kept and told again.
fn said(plan: &Plan) {
    if let Reply::Versions { .. } = plan.reply {
        return;
    }
    if let Reply::Batch(results) = &plan.reply {
        results.iter().filter_map(|result| result.as_ref().err()).for_each(told);
    }
    let answer = Answer::of(&plan.reply, plan.seq).expect("a reply can be said");
    if !answer.body.is_empty() {
        canonical(&answer.body);
    }
    let again = Answer::from_bytes(&answer.to_bytes()).expect("an answer can be kept");
    assert_eq!(Answer { replayed: answer.replayed, ..again }, answer);
}

fn canonical(text: &[u8]) {
    let value = json::read(text, ANSWER_DEPTH).expect("an answer is JSON");
    assert_eq!(json::write(&value), text, "an answer is canonical");
}

/// What is written can be read again.
fn rows(write: &Write) {
    match write {
        Write::Record(record) => comes_back(&**record),
        Write::Version(version) => comes_back(version),
        Write::Entry(entry) => comes_back(entry),
        Write::Member(member) => comes_back(member),
        Write::Replay(replay) => comes_back(replay),
        Write::Audit(audit) => comes_back(audit),
        Write::Revoke(_, Some(revocation)) => comes_back(&**revocation),
        Write::Sheet(sheet) => comes_back(sheet),
        Write::Secret(_) | Write::Expel { .. } | Write::Revoke(_, None) => {}
    }
}

fn comes_back<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
    let plain = row.encode().expect("a row has bytes");
    assert_eq!(R::decode(row.columns(), plain).as_ref(), Ok(row));
}
