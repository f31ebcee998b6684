//! Promotions outside: the body of a proposal, and a promotion in an answer.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{
    members::Members,
    request::{id, pointer},
    text::{ObjectText, array},
    within,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    level::Level,
    value::Value,
};
use nacre_store::{
    op::Administration,
    plan::{PromotionReply, Warning},
    promotion::{Effect, Promotion, Proposing, Verdict},
    record::EntryId,
};

#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::{
    reply::{NoticeText, OverrideText},
    schema,
};

/// Propose to move a value up.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct PromotionBody {
    /// The context that holds the value.
    pub from: PlaceBody,
    /// A JSON Pointer to the value in the stored layer of `from`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
    pub pointer: String,
    /// The context above that is to hold it.
    pub to: AboveBody,
    /// Why; shown in the history of both contexts; at most 960 bytes.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub reason: Option<String>,
    /// What speaks for it: any JSON, at most 64 KiB. It must not hold secrets.
    #[cfg_attr(feature = "schema", schemars(default, with = "Option<serde_json::Value>"))]
    pub evidence: Option<Value>,
}

/// A context.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct PlaceBody {
    /// The level of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// The id of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub id: String,
}

/// A context above another one.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct AboveBody {
    /// Its level.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// Its id; if left out, it is the one of that level in the chain.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "schema::id_or_null"))]
    pub id: Option<String>,
}

impl PromotionBody {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid-request` with the pointer to the first wrong member.
    pub fn read(body: Value) -> Result<PromotionBody> {
        let mut members = Members::of(body)?;
        let body = PromotionBody {
            from: read_at("/from", PlaceBody::read, members.required("from")?)?,
            pointer: members.required("pointer")?,
            to: read_at("/to", AboveBody::read, members.required("to")?)?,
            reason: members.take("reason")?,
            evidence: members.take("evidence")?,
        };
        members.end()?;
        Ok(body)
    }

    /// Makes the proposal.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-pointer`, with the pointer in the body.
    pub fn into_administration(self) -> Result<Administration> {
        Ok(Administration::Propose(Proposing {
            from: self.from.into_address()?,
            pointer: pointer("/pointer", self.pointer)?,
            to: Level::parse(&self.to.level).map_err(|error| error.at("/to/level"))?,
            id: self.to.id.map(|text| id("/to/id", &text)).transpose()?,
            reason: self.reason,
            evidence: self.evidence,
        }))
    }
}

/// Reads a member that is an object.
fn read_at<T>(at: &str, read: fn(Value) -> Result<T>, value: Value) -> Result<T> {
    read(value).map_err(|error| within(at, error))
}

impl PlaceBody {
    fn read(place: Value) -> Result<PlaceBody> {
        let mut members = Members::of(place)?;
        let place = PlaceBody { level: members.required("level")?, id: members.required("id")? };
        members.end()?;
        Ok(place)
    }

    fn into_address(self) -> Result<Address> {
        let level = Level::parse(&self.level).map_err(|error| error.at("/from/level"))?;
        Address::new(level, id("/from/id", &self.id)?).map_err(|error| error.at("/from/id"))
    }
}

impl AboveBody {
    fn read(above: Value) -> Result<AboveBody> {
        let mut members = Members::of(above)?;
        let above = AboveBody { level: members.required("level")?, id: members.take("id")? };
        members.end()?;
        Ok(above)
    }
}

/// A decision on the promotion with this id.
///
/// # Errors
/// `not-found` for a text that is no id.
pub fn settle(id: &str, verdict: Verdict) -> Result<Administration> {
    let missing = || Error::new(Code::NotFound, "there is no promotion with this id");
    let id = EntryId::parse(id).filter(|parsed| Promotion::id_text(*parsed) == id);
    Ok(Administration::Settle(id.ok_or_else(missing)?, verdict))
}

/// A context in an answer.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PlaceText<'a> {
    /// The id of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub id: &'a str,
    /// The level of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: &'a str,
}

/// A proposal to move a value up, and where it stands.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PromotionText<'a> {
    /// When it was proposed.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
    pub at: String,
    /// Who proposed it.
    pub by: &'a str,
    /// The last decision; null before the first.
    pub decided: Option<DecidedText<'a>>,
    /// What speaks for it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub evidence: Option<&'a Value>,
    /// The context that holds the value.
    pub from: PlaceText<'a>,
    /// The id of the promotion.
    pub id: String,
    /// What may surprise about the writes of an approval; left out if nothing does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeText<'a>>,
    /// The place of the value in the stored layer.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
    pub pointer: &'a str,
    /// Whom approving it affects, as of the proposal.
    pub preview: EffectText<'a>,
    /// Why.
    pub reason: Option<&'a str>,
    /// While it is proposed: the value that `to` has there now; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub replaces: Option<&'a Value>,
    /// `proposed`, `approved`, `declined` or `undone`; `stale` if it waits for a decision, but what
    /// it touches has changed since.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::standing"))]
    pub state: &'static str,
    /// The context above that is to hold the value.
    pub to: PlaceText<'a>,
    /// While it is proposed: the value that would move. Sealed values are markers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub value: Option<&'a Value>,
}

/// A decision.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct DecidedText<'a> {
    /// The time.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
    pub at: String,
    /// The user.
    pub by: &'a str,
    /// The `seq` of the commit.
    pub seq: u64,
}

/// Whom a promotion affects. At most 100 contexts and 100 overrides are named; all are counted.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct EffectText<'a> {
    /// Contexts whose view changes.
    pub affected: Vec<PlaceText<'a>>,
    /// The number of contexts whose view changes.
    pub affected_count: u64,
    /// Layers below that override the value.
    pub overridden_by: Vec<OverrideText<'a>>,
    /// The number of these places.
    pub overridden_count: u64,
    /// The number of views at and below the changed contexts that do not change.
    pub unchanged: u64,
}

/// Appends a promotion. [`PromotionText`] describes it.
pub(super) fn write(reply: &PromotionReply, out: &mut Vec<u8>) {
    let Promotion { id, proposal, at, by, effect, standing, settled, .. } = &reply.promotion;
    let mut text = ObjectText::open(out);
    text.string("at", &at.to_string());
    text.string("by", by.as_str());
    match settled {
        Some(settled) => {
            let mut decided = ObjectText::open(text.member("decided"));
            decided.string("at", &settled.at.to_string());
            decided.string("by", settled.by.as_str());
            decided.number("seq", settled.seq);
            decided.close();
        }
        None => text.raw("decided", b"null"),
    }
    json::write_to(proposal.evidence.as_ref().unwrap_or(&Value::Null), text.member("evidence"));
    write_place(&proposal.from, None, text.member("from"));
    text.string("id", &Promotion::id_text(*id));
    if !reply.warnings.is_empty() {
        array(text.member("notices"), &reply.warnings, write_notice);
    }
    text.string("pointer", proposal.pointer.as_str());
    write_effect(effect, text.member("preview"));
    text.option("reason", proposal.reason.as_deref());
    if let Some(replaces) = &reply.replaces {
        json::write_to(replaces, text.member("replaces"));
    }
    text.string("state", standing.as_str());
    write_place(&proposal.to, None, text.member("to"));
    if let Some(value) = &reply.value {
        json::write_to(value, text.member("value"));
    }
    text.close();
}

fn write_place(address: &Address, pointer: Option<&str>, out: &mut Vec<u8>) {
    let mut place = ObjectText::open(out);
    place.string("id", address.id.as_str());
    place.string("level", address.level.as_str());
    if let Some(pointer) = pointer {
        place.string("pointer", pointer);
    }
    place.close();
}

fn write_notice(out: &mut Vec<u8>, warning: &Warning) {
    let mut notice = ObjectText::open(out);
    notice.string("code", warning.code);
    notice.string("detail", &warning.detail);
    notice.string("pointer", &warning.pointer);
    notice.close();
}

fn write_effect(effect: &Effect, out: &mut Vec<u8>) {
    let mut text = ObjectText::open(out);
    array(text.member("affected"), &effect.affected, |out, at| write_place(at, None, out));
    text.number("affected_count", effect.affected_count);
    array(text.member("overridden_by"), &effect.overridden_by, |out, (at, pointer)| {
        write_place(at, Some(pointer), out);
    });
    text.number("overridden_count", effect.overridden_count);
    text.number("unchanged", effect.unchanged);
    text.close();
}
