//! The service under test: what the Worker and the object do, with memory for SQL.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::{Error, Result},
    id::User,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Request},
    pack::pack,
    plan::Plan,
    retrieval::{self, Corpus, Document, search},
    revocation::{Revocation, TokenFacts, TokenId},
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    store::{Filter, Reads},
    wire::{Answer, remember},
};
use nacre_worker::{
    auth::Refusal,
    http::{BodyWanted, Exchange, Head, Importer, Response, Settings, Task, Work, front, owner},
};
use serde_json::Value;

use crate::conform::Contract;

/// The service, with a store for each user.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    contract: Contract,
    stores: BTreeMap<String, Store>,
    masters: MasterKeyring,
    names: SensitiveNames,
    content: SealContent,
    /// Seconds since 1970.
    pub(crate) now: u64,
    requests: u64,
}

struct Store {
    rows: MemoryStore<'static>,
    keys: Keyring,
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) user: String,
    pub(crate) scopes: Scopes,
    pub(crate) token: TokenFacts,
}

pub(crate) fn call(method: &str, target: &str) -> Call {
    Call {
        method: method.into(),
        target: target.into(),
        headers: Vec::new(),
        body: Vec::new(),
        user: "alice".into(),
        scopes: Scopes::UNSTATED,
        token: TokenFacts { issued_at: Some(Moment(u64::MAX)), id: None },
    }
}

pub(crate) fn get(target: &str) -> Call {
    call("GET", target)
}

impl Call {
    pub(crate) fn json(self, body: Value) -> Call {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Call {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn user(mut self, user: &str) -> Call {
        self.user = user.into();
        self
    }

    pub(crate) fn scopes(mut self, scopes: &str) -> Call {
        self.scopes = Scopes::parse(scopes);
        self
    }

    /// Gives the request's token an `iat`, in seconds since 1970, and a `jti`.
    pub(crate) fn token(mut self, issued_at: Option<u64>, id: Option<&str>) -> Call {
        let id = id.map(|id| TokenId::parse(id).unwrap());
        self.token = TokenFacts { issued_at: issued_at.map(|at| Moment(at * 1000)), id };
        self
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

impl Service {
    pub(crate) fn new() -> Service {
        Service {
            settings: Settings::default(),
            contract: Contract::default(),
            stores: BTreeMap::new(),
            masters: MasterKeyring::parse("m:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                .unwrap(),
            names: SensitiveNames::default(),
            content: SealContent::Seal(credentials::find),
            now: 1_700_000_000,
            requests: 0,
        }
    }

    /// Seals only these names from now on, as an earlier version did.
    pub(crate) fn seals_only(&mut self, names: &str) {
        self.names = SensitiveNames::parse(names).unwrap();
        self.content = SealContent::Off;
    }

    /// Seals what a deployment seals by default.
    pub(crate) fn seals_by_default(&mut self) {
        self.names = SensitiveNames::default();
        self.content = SealContent::Seal(credentials::find);
    }

    /// Sends a request; its response fits the contract.
    #[track_caller]
    pub(crate) fn send(&mut self, call: Call) -> Response {
        let response = self.respond(&call);
        self.contract.check(&call, &response);
        response
    }

    /// Sends a request that has to succeed with this status; gives the body.
    #[track_caller]
    pub(crate) fn ok(&mut self, status: u16, call: Call) -> Value {
        let shown = format!("{} {}", call.method, call.target);
        let response = self.send(call);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, status, "{shown}: {text}");
        if response.body.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Sends a request that has to fail with this code; gives the problem.
    #[track_caller]
    pub(crate) fn fails(&mut self, code: &str, call: Call) -> Value {
        let shown = format!("{} {}", call.method, call.target);
        let response = self.send(call);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(problem["code"], code, "{shown}: {} {text}", response.status);
        assert_eq!(problem["status"], response.status, "{text}");
        problem
    }

    fn respond(&mut self, call: &Call) -> Response {
        self.requests += 1;
        self.now += 1;
        let number = self.requests;
        let fresh_id = || format!("request-{number}");
        let head = Head {
            method: &call.method,
            path: call.path(),
            query: call.query(),
            headers: &call.headers,
        };
        if let Some(response) = front(&head, &self.settings, Moment(self.now * 1000), fresh_id) {
            return response;
        }
        let mut exchange = Exchange::begin(&head, &self.settings, fresh_id);
        let user = User::parse(&call.user).unwrap();
        let owner = match owner(&head) {
            Ok(owner) => owner.unwrap_or_else(|| user.clone()),
            Err(error) => return exchange.problem(&error, None, &Work::default()),
        };
        let mut is_revoked = false;
        let mut see = |one: &Revocation| is_revoked |= one.covers(&user, &call.token);
        self.store(&owner).rows.each_revocation(&mut see).unwrap();
        if is_revoked {
            return exchange.refused(Refusal::Revoked);
        }
        let caller = Caller { user, owner: owner.clone(), scopes: call.scopes };
        let asked = exchange.route(&head, caller).and_then(|ask| match ask.body() {
            BodyWanted::AtMost(_) => ask.decode(&call.body),
            BodyWanted::None | BodyWanted::Lines => ask.decode(b""),
        });
        let outcome = asked.and_then(|task| self.perform(&mut exchange, &owner, task, &call.body));
        let seq = self.store(&owner).rows.seq().unwrap();
        outcome.unwrap_or_else(|error| exchange.problem(&error, Some(seq), &Work::default()))
    }

    fn perform(
        &mut self,
        exchange: &mut Exchange,
        owner: &User,
        task: Task,
        body: &[u8],
    ) -> Result<Response> {
        let work = Work::default();
        match task {
            Task::Command(request) => {
                let plan = self.decide(owner, &request)?;
                Ok(exchange.answer(&plan.reply, plan.seq, &work))
            }
            Task::Export(mut exporter) => {
                let mut lines = Vec::new();
                while let Some(piece) =
                    exporter.piece(|request| Ok(self.decide(owner, request)?.reply))?
                {
                    lines.extend(piece);
                }
                let mut response = exchange.lines(self.store(owner).rows.seq()?, &work);
                response.body = lines;
                Ok(response)
            }
            Task::Import(mut importer) => {
                // In pieces that end anywhere.
                for piece in body.chunks(997) {
                    importer.push(piece);
                    self.import(owner, &mut importer, false)?;
                }
                self.import(owner, &mut importer, true)?;
                let seq = self.store(owner).rows.seq()?;
                Ok(exchange.answer(&importer.finish(), seq, &work))
            }
            // Keys and the index are the SQL store's, sockets the platform's; their own tests turn
            // them.
            Task::Keys { .. }
            | Task::Reindex { .. }
            | Task::GiveVector { .. }
            | Task::Live
            | Task::Usage { .. } => Err(Error::not_found()),
            Task::Pack { caller, ask } => {
                let pack = pack(&self.store(owner).rows, &caller, &ask)?;
                Ok(exchange.packed(pack, ask.format, &work))
            }
            Task::Search { caller, question } => {
                let now = Moment(self.now * 1000);
                let store = self.store(owner);
                question.refuse_the_future(store.rows.seq()?, now)?;
                let mut corpus = Corpus::default();
                for context in store.rows.list(&Filter::default(), None, usize::MAX)? {
                    corpus.upsert(Document::read(&store.rows, &context.address)?.unwrap());
                }
                let found = search(&store.rows, &caller, &corpus, None, &question)?;
                Ok(exchange.found(retrieval::answer(&found), store.rows.seq()?, &work))
            }
            Task::Erase => {
                self.stores.remove(owner.as_str());
                Ok(exchange.erased())
            }
        }
    }

    fn import(&mut self, owner: &User, importer: &mut Importer, ended: bool) -> Result<()> {
        while let Some(request) = importer.next(ended)? {
            let plan = self.decide(owner, &request).map_err(|error| importer.failed(error))?;
            importer.stored(&plan.reply)?;
        }
        Ok(())
    }

    fn decide(&mut self, owner: &User, request: &Request) -> Result<Plan, Error> {
        self.store(owner);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.requests.to_le_bytes());
        let mut entropy = Entropy::from_seed(seed);
        let Some(Store { rows, keys }) = self.stores.get_mut(owner.as_str()) else {
            panic!("the store was just made");
        };
        let mut setting = Setting {
            at: Moment(self.now * 1000),
            entropy: &mut entropy,
            keys: Some(keys),
            names: &self.names,
            content: self.content,
        };
        let mut plan = decide(rows, &mut setting, request)?;
        remember(&mut plan, Answer::of)?;
        rows.apply(&plan.writes);
        Ok(plan)
    }

    fn store(&mut self, owner: &User) -> &mut Store {
        let masters = &self.masters;
        self.stores.entry(owner.as_str().into()).or_insert_with(|| {
            let mut entropy = Entropy::from_seed([7; 32]);
            let wrapped = Keyring::create(owner, masters, &mut entropy).unwrap();
            let keys = Keyring::unwrap(owner, &wrapped, masters).unwrap();
            Store { rows: MemoryStore::new(), keys }
        })
    }
}
