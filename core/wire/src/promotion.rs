//! Promotions outside: the body of a proposal, and a promotion in an answer.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    reply::{NoticeText, OverrideText},
    request::{id, pointer},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    level::Level,
    value::Value,
};
use nacre_store::{
    op::Administration,
    plan::PromotionReply,
    promotion::{Effect, Promotion, Proposing, Settled, Verdict},
    record::EntryId,
};

#[cfg(feature = "schema")]
use super::schema;

/// Propose to move a value up.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromotionBody {
    /// The context that holds the value.
    pub from: PlaceBody,
    /// A JSON Pointer to the value in the stored layer of `from`.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
    pub pointer: String,
    /// The context above that is to hold it.
    pub to: AboveBody,
    /// Why; shown in the history of both contexts; at most 960 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// What speaks for it: any JSON, at most 64 KiB. It must not hold secrets.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub evidence: Option<Value>,
}

/// A context.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaceBody {
    /// The level of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// The id of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub id: String,
}

/// A context above another one.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AboveBody {
    /// Its level.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// Its id; if left out, it is the one of that level in the chain.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
    pub id: Option<String>,
}

impl PromotionBody {
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

impl PlaceBody {
    fn into_address(self) -> Result<Address> {
        let level = Level::parse(&self.level).map_err(|error| error.at("/from/level"))?;
        Address::new(level, id("/from/id", &self.id)?).map_err(|error| error.at("/from/id"))
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
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlaceText<'a> {
    /// The id of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub id: &'a str,
    /// The level of the context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: &'a str,
}

/// A proposal to move a value up, and where it stands.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl<'a> PlaceText<'a> {
    /// A context.
    pub fn of(address: &'a Address) -> PlaceText<'a> {
        PlaceText { id: address.id.as_str(), level: address.level.as_str() }
    }
}

impl<'a> PromotionText<'a> {
    /// A promotion.
    pub fn of(reply: &'a PromotionReply) -> PromotionText<'a> {
        let Promotion { id, proposal, at, by, effect, standing, settled, .. } = &reply.promotion;
        let decided = |settled: &'a Settled| DecidedText {
            at: settled.at.to_string(),
            by: settled.by.as_str(),
            seq: settled.seq,
        };
        PromotionText {
            at: at.to_string(),
            by: by.as_str(),
            decided: settled.as_ref().map(decided),
            evidence: proposal.evidence.as_ref(),
            from: PlaceText::of(&proposal.from),
            id: Promotion::id_text(*id),
            notices: NoticeText::all(&reply.warnings),
            pointer: proposal.pointer.as_str(),
            preview: EffectText::of(effect),
            reason: proposal.reason.as_deref(),
            replaces: reply.replaces.as_ref(),
            state: standing.as_str(),
            to: PlaceText::of(&proposal.to),
            value: reply.value.as_ref(),
        }
    }
}

impl<'a> EffectText<'a> {
    fn of(effect: &'a Effect) -> EffectText<'a> {
        let overriding = |(address, pointer): &'a (Address, String)| OverrideText {
            id: address.id.as_str(),
            level: address.level.as_str(),
            pointer,
        };
        EffectText {
            affected: effect.affected.iter().map(PlaceText::of).collect(),
            affected_count: effect.affected_count,
            overridden_by: effect.overridden_by.iter().map(overriding).collect(),
            overridden_count: effect.overridden_count,
            unchanged: effect.unchanged,
        }
    }
}
