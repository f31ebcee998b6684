//! A store in memory with its keys, and a clock that moves by a second with every request.

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::{Code, Error},
    id::User,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Command, Read, Request, Resolve},
    plan::{Plan, Reply},
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    store::{AsOf, Reads},
    wire::{Answer, Export, open_export, remember},
};

/// The world of one test. Requests are the owner's, save those of [`World::run_as`].
pub struct World {
    /// The rows.
    pub store: MemoryStore<'static>,
    keys: Keyring,
    names: SensitiveNames,
    /// How many requests there were: the time in seconds.
    pub requests: u64,
}

impl World {
    /// An empty store.
    pub fn empty() -> World {
        let masters =
            MasterKeyring::parse("m1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let wrapped =
            Keyring::create(&alice(), &masters, &mut Entropy::from_seed([1; 32])).unwrap();
        World {
            store: MemoryStore::new(),
            keys: Keyring::unwrap(&alice(), &wrapped, &masters).unwrap(),
            names: SensitiveNames::default(),
            requests: 0,
        }
    }

    /// Decides for the owner, and applies nothing.
    pub fn plan(&mut self, command: impl Into<Command>) -> Result<Plan, Error> {
        let scopes = Scopes::UNSTATED.with(Scopes::REVEAL);
        self.plan_as(Caller { user: alice(), owner: alice(), scopes }, command.into())
    }

    fn plan_as(&mut self, caller: Caller, command: Command) -> Result<Plan, Error> {
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
        let request = Request { caller, command, idempotency: None, id: None };
        let mut plan = decide(&self.store, &mut setting, &request)?;
        remember(&mut plan, Answer::of)?;
        Ok(plan)
    }

    /// Decides and applies.
    pub fn run(&mut self, command: impl Into<Command>) -> Result<Reply, Error> {
        let plan = self.plan(command)?;
        self.store.apply(&plan.writes);
        Ok(plan.reply)
    }

    /// Decides and applies for another user of alice's store.
    pub fn run_as(
        &mut self,
        user: &str,
        scopes: &str,
        command: impl Into<Command>,
    ) -> Result<Reply, Error> {
        let (user, scopes) = (User::parse(user).unwrap(), Scopes::parse(scopes));
        let plan = self.plan_as(Caller { user, owner: alice(), scopes }, command.into())?;
        self.store.apply(&plan.writes);
        Ok(plan.reply)
    }

    /// The lines of an export.
    pub fn export(&mut self, reveal: bool) -> Vec<u8> {
        let mut export = Export::new(reveal);
        let mut text = Vec::new();
        while let Some(part) = export.next() {
            let reply = self.run(part).expect("a part of an export");
            export.write(&reply, &mut text).expect("the part that was asked for");
        }
        text
    }

    /// A world whose store is an opened export; it has the same keys, and its clock goes on.
    pub fn opened(&self, export: &[u8]) -> Result<World, Error> {
        let World { keys, names, .. } = World::empty();
        let mut entropy = Entropy::from_seed([2; 32]);
        let store = open_export(export, &names, &keys, &mut entropy)?;
        Ok(World { store, keys, names, requests: self.requests })
    }

    /// A view's text, now or as of then; `None` when it is not there.
    pub fn view(&mut self, address: &Address, as_of: Option<AsOf>) -> Option<Vec<u8>> {
        let (address, path) = (address.clone(), None);
        let view = Read::Resolve(Resolve { address, path, as_of, explain: false, reveal: false });
        match self.run(view) {
            Ok(Reply::View(view)) => Some(view.view.text.clone()),
            Ok(other) => panic!("not a view: {other:?}"),
            Err(error) if error.code() == Code::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// A live context's own data.
    pub fn data(&self, address: &Address) -> Option<Vec<u8>> {
        let record = self.store.record(address).unwrap()?;
        record.is_live().then(|| record.layer.text().to_vec())
    }
}

fn alice() -> User {
    User::parse("alice").unwrap()
}
