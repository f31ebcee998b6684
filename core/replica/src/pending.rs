//! A queued write, and its decision over the copy of the store.

use alloc::{
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{Entry, Holder, queue_key};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::User,
    json,
    sensitive::SensitiveNames,
    value::{self, Object, Value},
};
use nacre_store::{
    access::Scopes,
    decide::{Setting, edit_ahead, read_ahead},
    entropy::Entropy,
    limits,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Edit, Expect, Op, Read},
    plan::Plan,
    record::EntryId,
    seal::{NoKeys, SealContent},
    store::Reads,
};
use nacre_wire::{Answer, operation::item};

/// A write in the queue.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Its place in the queue.
    pub(super) n: u64,
    pub(super) kept: Kept,
    /// The decoded form of `kept.op`.
    pub(super) op: Rc<Edit>,
}

/// A write as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The time when it was made, in milliseconds since the Unix epoch.
    pub(super) at: u64,
    /// The group of writes that are sent together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// The version of the context that it is based on, at first or after a rebase; 0 if the context
    /// did not exist.
    pub(super) known: u64,
    /// The answer, if the server has stored it and the copy is not that far yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) landed: Option<Landed>,
    /// The operation of a batch, with its idempotency key.
    pub(super) op: Value,
    /// The refusal, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<Refused>,
}

/// A stored write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Landed {
    pub(super) seq: u64,
    pub(super) version: u64,
}

/// A refused write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    /// The problem that the server gave, or the core when it decided the write again.
    pub(super) problem: Value,
    /// The state of the copy then. A newer one may show a conflict instead of the refusal.
    pub(super) seq: u64,
    /// Whether the refusal stands: the write is neither shown nor sent until the user retries or
    /// discards it.
    #[serde(default)]
    pub(super) stands: bool,
}

impl Pending {
    /// A write at its place.
    ///
    /// # Errors
    /// The errors of reading an operation; `invalid-request` if it is not a write to a context.
    pub(super) fn new(n: u64, kept: Kept) -> Result<Pending> {
        let Op::Edit(edit) = item(kept.op.clone())?.op else {
            return Err(Error::new(Code::InvalidRequest, "the queue takes only writes"));
        };
        Ok(Pending { n, kept, op: Rc::new(relaxed(edit)) })
    }

    /// Reads a stored write.
    pub(super) fn read(n: u64, kept: &[u8]) -> Result<Pending> {
        Pending::new(n, value::decode_known(nacre_wire::read_json(kept)?)?)
    }

    /// The context that it changes.
    pub(super) fn address(&self) -> &Address {
        self.op.address()
    }

    pub(super) fn key(&self) -> &str {
        let key = self.kept.op.as_object().and_then(|op| op.get("idempotency_key"));
        key.and_then(Value::as_str).unwrap_or_default()
    }

    /// The entry for its place.
    pub(super) fn entry(&self) -> Result<Entry> {
        Ok((queue_key(self.n), Some(json::write(&value::encode(&self.kept)?))))
    }

    /// The same write in another form.
    pub(super) fn with(&self, op: Value) -> Result<Pending> {
        Pending::new(self.n, Kept { op, ..self.kept.clone() })
    }

    /// Whether it is refused for good.
    pub(super) fn is_refused(&self) -> bool {
        self.kept.refused.as_ref().is_some_and(|refused| refused.stands)
    }

    /// Refuses it for good.
    pub(super) fn refuse(&mut self, problem: Value, seq: u64) {
        self.kept.refused = Some(Refused { problem, seq, stands: true });
    }

    /// Whether the base shows its result.
    pub(super) fn shows_in(&self, base: &dyn Reads) -> bool {
        let Some(landed) = &self.kept.landed else { return false };
        let Edit::AddEntry(new) = &*self.op else {
            return landed.version > 0 && self.version_in(base) >= landed.version;
        };
        let next = EntryId { seq: landed.seq + 1, n: 0 };
        let entries = base.entries(&new.address, new.kind, Some(next), limits::BATCH_OPERATIONS);
        entries.is_ok_and(|entries| {
            entries.iter().any(|own| own.id.seq == landed.seq && own.content == new.content)
        })
    }

    /// Whether it is based on an older version than the base.
    pub(super) fn is_behind(&self, base: &dyn Reads) -> bool {
        self.kept.landed.is_none() && !self.is_refused() && self.version_in(base) > self.kept.known
    }

    pub(super) fn version_in(&self, base: &dyn Reads) -> u64 {
        base.record(self.address()).ok().flatten().map_or(0, |record| record.version)
    }

    /// Its form for display.
    pub(super) fn shown(&self, state: &str) -> Value {
        let mut shown = Object::new();
        let op = self.kept.op.as_object();
        for (name, from) in [
            ("action", "action"),
            ("id", "context_id"),
            ("key", "idempotency_key"),
            ("level", "level"),
        ] {
            let value = op.and_then(|op| op.get(from)).cloned();
            shown.insert(name, value.unwrap_or(Value::Null));
        }
        shown.insert("at", Moment(self.kept.at).to_string().as_str().into());
        if let Some(Refused { problem, stands: true, .. }) = &self.kept.refused {
            // So that it can be shown, and written anew in another form.
            shown.insert("operation", self.kept.op.clone());
            shown.insert("problem", problem.clone());
        }
        shown.insert("state", state.into());
        Value::Object(shown)
    }

    /// Decides it like the server, over the shown state.
    pub(super) fn decide(&self, holder: &Holder, over: &dyn Reads) -> Result<Plan> {
        let mut entropy = Entropy::from_seed([0; 32]);
        let (mut setting, caller) = holder.setting(Moment(self.kept.at), &mut entropy);
        edit_ahead(over, &mut setting, &caller, &self.op)
    }

    /// Decides it, and applies its writes.
    pub(super) fn perform(&self, holder: &Holder, on: &mut MemoryStore<'_>) -> Result<Plan> {
        let plan = self.decide(holder, on)?;
        on.apply(&plan.writes);
        Ok(plan)
    }
}

/// Only the newness of a context is expected here. The versions of others are not known, and their
/// changes are compared path by path.
fn relaxed(mut edit: Edit) -> Edit {
    match &mut edit {
        Edit::Update { expect, .. }
        | Edit::Delete { expect, .. }
        | Edit::Rollback { expect, .. }
        | Edit::Move { expect, .. } => *expect = Expect::Anything,
        Edit::Put(put) if put.expect != Expect::Absent => put.expect = Expect::Anything,
        _ => {}
    }
    edit
}

impl Holder {
    pub(super) fn new(user: User) -> Holder {
        Holder { user, names: SensitiveNames::general() }
    }

    /// The setting of a decision, and the user of the copy as its caller.
    fn setting<'s>(&'s self, at: Moment, entropy: &'s mut Entropy) -> (Setting<'s>, Caller) {
        let setting = Setting {
            at,
            entropy,
            keys: Some(&NoKeys),
            names: &self.names,
            content: SealContent::Off,
        };
        let (user, owner) = (self.user.clone(), self.user.clone());
        (setting, Caller { user, owner, scopes: Scopes::UNSTATED })
    }

    /// Answers a question of the user of the copy.
    pub(super) fn read(&self, reads: &dyn Reads, ask: &Read, at: Moment) -> Result<Answer> {
        let mut entropy = Entropy::from_seed([0; 32]);
        let (mut setting, caller) = self.setting(at, &mut entropy);
        let plan = read_ahead(reads, &mut setting, &caller, ask)?;
        Answer::ahead(&plan.reply, plan.seq)
    }
}

/// The versions that were made by writes queued here.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(Vec<(Address, u64)>);

/// Most versions that are remembered: more than several tabs can have in flight.
const REMEMBERED: usize = 2000;

impl Own {
    pub(super) fn insert(&mut self, address: Address, version: u64) {
        if self.0.len() >= REMEMBERED {
            self.0.drain(..REMEMBERED / 2);
        }
        self.0.push((address, version));
    }

    pub(super) fn contains(&self, address: &Address, version: u64) -> bool {
        self.0.iter().rev().any(|(of, own)| *own == version && of == address)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Address, u64)> {
        self.0.iter()
    }

    pub(super) fn to_value(&self) -> Value {
        let one = |(address, version): &(Address, u64)| {
            Value::Array(Vec::from([
                Value::from(address.level.as_str()),
                address.id.as_str().into(),
                (*version).into(),
            ]))
        };
        Value::Array(self.0.iter().map(one).collect())
    }

    pub(super) fn read(value: &Value) -> Own {
        let one = |one: &Value| match one.as_array()? {
            [level, id, version] => {
                let address = Address::parse(level.as_str()?, id.as_str()?).ok()?;
                Some((address, integer(version)?))
            }
            _ => None,
        };
        Own(value.as_array().unwrap_or_default().iter().filter_map(one).collect())
    }
}

/// A number that counts.
pub(super) fn integer(value: &Value) -> Option<u64> {
    match value.as_number()? {
        nacre_layers::number::Number::Unsigned(number) => Some(number),
        nacre_layers::number::Number::Signed(number) => u64::try_from(number).ok(),
        nacre_layers::number::Number::Float(_) => None,
    }
}
