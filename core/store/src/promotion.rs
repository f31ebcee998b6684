//! Promotions: proposals to move a value from a layer to one above it.
//!
//! ```text
//! proposed ─ approve ─▶ approved ─ undo ─▶ undone
//!     │ └── decline ─▶ declined
//!     ▼
//!   stale: what it touches has changed since; it can only be declined
//! ```
//! Whether a proposal is stale is never stored: [`Promotion::touched`] is compared with what the
//! layers hold now.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    moment::Moment,
    record::EntryId,
    sheet::{Sheet, SheetKind},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    json,
    level::Level,
    pointer::Pointer,
    value::{Object, Value},
};

/// Longest reason of a promotion, in bytes. With the promotion's id it is the summary of versions.
pub const REASON_BYTES: usize = 960;

/// Largest evidence of a promotion, in bytes of JSON.
pub const EVIDENCE_BYTES: usize = 64 << 10;

/// Most contexts and overrides that a promotion names; it counts all of them.
pub const NAMED: usize = 100;

/// What is proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The context that holds the value.
    pub from: Address,
    /// The place of the value.
    pub pointer: Pointer,
    /// The context above that is to hold it.
    pub to: Address,
    /// Why, at most [`REASON_BYTES`].
    pub reason: Option<String>,
    /// What speaks for it: any JSON, at most [`EVIDENCE_BYTES`].
    pub evidence: Option<Value>,
}

/// What is asked for: a proposal whose upper context may be named by its level alone, because a chain has
/// one context of each level.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposing {
    /// The context that holds the value.
    pub from: Address,
    /// The place of the value.
    pub pointer: Pointer,
    /// The level of the context above that is to hold it.
    pub to: Level,
    /// Its id; `None` for the one in the chain of `from`.
    pub id: Option<ContextId>,
    /// Why, at most [`REASON_BYTES`].
    pub reason: Option<String>,
    /// What speaks for it: any JSON, at most [`EVIDENCE_BYTES`].
    pub evidence: Option<Value>,
}

impl From<Proposal> for Proposing {
    fn from(proposal: Proposal) -> Proposing {
        let Proposal { from, pointer, to, reason, evidence } = proposal;
        Proposing { from, pointer, to: to.level, id: Some(to.id), reason, evidence }
    }
}

/// A decision on a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Move the value.
    Approve,
    /// Leave it where it is.
    Decline,
    /// Take an approval back.
    Undo,
}

/// Where a promotion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a decision.
    Proposed,
    /// It waits, but what it touches has changed since. Never stored.
    Stale,
    /// The value has moved.
    Approved,
    /// The value stays.
    Declined,
    /// The value has moved back.
    Undone,
}

impl Standing {
    /// All of them, in the order of their numbers.
    pub const ALL: [Standing; 5] = [
        Standing::Proposed,
        Standing::Stale,
        Standing::Approved,
        Standing::Declined,
        Standing::Undone,
    ];

    /// The name in requests, answers and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Proposed => "proposed",
            Standing::Stale => "stale",
            Standing::Approved => "approved",
            Standing::Declined => "declined",
            Standing::Undone => "undone",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// `invalid-request` for an unknown name.
    pub fn parse(text: &str) -> Result<Standing> {
        Standing::ALL.into_iter().find(|standing| standing.as_str() == text).ok_or_else(|| {
            let detail = "a state must be `proposed`, `stale`, `approved`, `declined` or `undone`";
            Error::new(Code::InvalidRequest, detail)
        })
    }

    /// Whether a decision is still to come.
    pub fn waits(self) -> bool {
        matches!(self, Standing::Proposed | Standing::Stale)
    }
}

/// A stored promotion.
#[derive(Clone, Debug, PartialEq)]
pub struct Promotion {
    /// The id, unique in the store.
    pub id: EntryId,
    /// What is proposed.
    pub proposal: Proposal,
    /// When it was proposed.
    pub at: Moment,
    /// Who proposed it.
    pub by: User,
    /// The hash of what it touches, at the time of the proposal, as text.
    pub touched: String,
    /// Whom approving it would affect, as of the proposal.
    pub effect: Effect,
    /// Where it stands; never [`Standing::Stale`].
    pub standing: Standing,
    /// The last decision.
    pub settled: Option<Settled>,
}

/// Whom approving a promotion affects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// Contexts whose view changes, at most [`NAMED`].
    pub affected: Vec<Address>,
    /// The number of all of them.
    pub affected_count: u64,
    /// Layers below that override the value, with the place, at most [`NAMED`].
    pub overridden_by: Vec<(Address, String)>,
    /// The number of all of them.
    pub overridden_count: u64,
    /// The number of views at and below that do not change.
    pub unchanged: u64,
}

/// A decision that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: User,
    /// The `seq` of the commit.
    pub seq: u64,
    /// For an approval: the contexts that it changed, with the versions that it made.
    pub made: Vec<(Address, u64)>,
}

impl Promotion {
    /// The id as in answers: `seq-n`.
    pub fn id_text(id: EntryId) -> String {
        format!("{}-{}", id.seq, id.n)
    }

    /// The name of its row: in the order of proposals.
    pub fn name_of(id: EntryId) -> String {
        format!("{:014x}{:04x}", id.seq, id.n)
    }

    /// The row.
    pub fn to_sheet(&self) -> Sheet {
        let Proposal { from, pointer, to, reason, evidence } = &self.proposal;
        let mut row = Object::new();
        row.insert("id", Promotion::id_text(self.id).into());
        row.insert("from", address_text(from));
        row.insert("pointer", pointer.as_str().into());
        row.insert("to", address_text(to));
        row.insert("reason", reason.as_deref().map_or(Value::Null, Value::from));
        row.insert("evidence", evidence.clone().map_or(Value::Null, |value| list([value])));
        row.insert("at", self.at.0.into());
        row.insert("by", self.by.as_str().into());
        row.insert("touched", self.touched.as_str().into());
        row.insert("effect", self.effect.to_value());
        row.insert("standing", self.standing.as_str().into());
        row.insert("settled", self.settled.as_ref().map_or(Value::Null, Settled::to_value));
        Sheet {
            kind: SheetKind::Promotion,
            name: Promotion::name_of(self.id),
            waits: self.standing.waits(),
            text: json::write(&row.into()).into(),
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// `store-unavailable` for text that is not from [`Promotion::to_sheet`].
    pub fn of_sheet(sheet: &Sheet) -> Result<Promotion> {
        read(&sheet.text).ok_or_else(crate::row::odd)
    }
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

fn address_text(address: &Address) -> Value {
    address.to_string().into()
}

fn placed((address, with): &(Address, Value)) -> Value {
    list([address_text(address), with.clone()])
}

impl Effect {
    fn to_value(&self) -> Value {
        let overriding = |(address, pointer): &(Address, String)| {
            placed(&(address.clone(), pointer.as_str().into()))
        };
        list([
            list(self.affected.iter().map(address_text)),
            self.affected_count.into(),
            list(self.overridden_by.iter().map(overriding)),
            self.overridden_count.into(),
            self.unchanged.into(),
        ])
    }

    fn read(value: &Value) -> Option<Effect> {
        let [affected, affected_count, overridden, overridden_count, unchanged] =
            value.as_array()?
        else {
            return None;
        };
        let overriding = |value: &Value| {
            let [address, pointer] = value.as_array()? else { return None };
            Some((read_address(address)?, pointer.as_str()?.into()))
        };
        Some(Effect {
            affected: affected.as_array()?.iter().map(read_address).collect::<Option<_>>()?,
            affected_count: number(affected_count)?,
            overridden_by: overridden.as_array()?.iter().map(overriding).collect::<Option<_>>()?,
            overridden_count: number(overridden_count)?,
            unchanged: number(unchanged)?,
        })
    }
}

impl Settled {
    fn to_value(&self) -> Value {
        let made =
            |(address, version): &(Address, u64)| placed(&(address.clone(), (*version).into()));
        list([
            self.at.0.into(),
            self.by.as_str().into(),
            self.seq.into(),
            list(self.made.iter().map(made)),
        ])
    }

    fn read(value: &Value) -> Option<Settled> {
        let [at, by, seq, made] = value.as_array()? else { return None };
        let version = |value: &Value| {
            let [address, version] = value.as_array()? else { return None };
            Some((read_address(address)?, number(version)?))
        };
        Some(Settled {
            at: Moment(number(at)?),
            by: User::parse(by.as_str()?).ok()?,
            seq: number(seq)?,
            made: made.as_array()?.iter().map(version).collect::<Option<_>>()?,
        })
    }
}

fn read(text: &[u8]) -> Option<Promotion> {
    let mut value = json::read(text, crate::limits::DEPTH + 2).ok()?;
    let evidence = value.as_object_mut()?.get_mut("evidence")?.as_array_mut().and_then(Vec::pop);
    let row = value.as_object()?;
    let text = |name| row.get(name)?.as_str();
    let settled = row.get("settled")?;
    Some(Promotion {
        id: EntryId::parse(text("id")?)?,
        proposal: Proposal {
            from: read_address(row.get("from")?)?,
            pointer: Pointer::parse(text("pointer")?).ok()?,
            to: read_address(row.get("to")?)?,
            reason: text("reason").map(Into::into),
            evidence,
        },
        at: Moment(number(row.get("at")?)?),
        by: User::parse(text("by")?).ok()?,
        touched: text("touched")?.into(),
        effect: Effect::read(row.get("effect")?)?,
        standing: Standing::parse(text("standing")?).ok().filter(|it| *it != Standing::Stale)?,
        settled: match settled {
            Value::Null => None,
            settled => Some(Settled::read(settled)?),
        },
    })
}

fn read_address(value: &Value) -> Option<Address> {
    let (level, id) = value.as_str()?.split_once('/')?;
    Address::parse(level, id).ok()
}

fn number(value: &Value) -> Option<u64> {
    value.as_number()?.as_u64()
}
