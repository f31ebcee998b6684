//! Promotions: proposed with a preview, then approved, declined, or undone.
//!
//! Approving is two ordinary edits of one commit, so history, live updates, locks, sealing and
//! permissions are those of every write. Undoing rolls both contexts back, and is refused once one of
//! them has changed.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{draft::Draft, permit::permit_edit, preview::preview_of, read::page, view::held_at};
use crate::{
    history::chain,
    limits,
    op::{Edit, Expect, Patch, Put},
    plan::{PromotionReply, Reply, Warning},
    promotion::{
        EVIDENCE_BYTES, Effect, NAMED, Promotion, Proposal, Proposing, REASON_BYTES, Settled,
        Standing, Verdict,
    },
    record::{Deed, EntryId, Record},
    seal::{Held, Purpose, Target},
    sheet::SheetKind,
    sight::Sight,
    store::{Reads, Write, links},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    hash::Hash,
    id::ContextId,
    json,
    layer::Layer,
    pointer::Pointer,
    promote::promote,
    value::{Object, Value, check_depth},
};

/// A page of the promotions that the caller sees, newest first.
pub(super) fn promotions(
    reads: &dyn Reads,
    sight: &dyn Sight,
    standing: Option<Standing>,
    before: Option<EntryId>,
    limit: usize,
) -> Result<Reply> {
    let limit = page(limit);
    let waiting = standing.is_some_and(Standing::waits);
    let mut before = before.map(Promotion::name_of);
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut last = None;
    for _ in 0..LOOKS {
        let found = reads.sheets(SheetKind::Promotion, waiting, before.as_deref(), AT_ONCE)?;
        let is_end = found.len() < AT_ONCE;
        before = found.last().map(|sheet| sheet.name.clone());
        for sheet in found {
            if items.len() == limit || bytes >= limits::ANSWER_BYTES {
                return Ok(Reply::Promotions { items, next: last });
            }
            let promotion = Promotion::of_sheet(&sheet)?;
            last = Some(promotion.id);
            if !is_seen(reads, sight, &promotion)? {
                continue;
            }
            let item = shown(reads, promotion)?;
            if standing.is_some_and(|standing| standing != item.promotion.standing) {
                continue;
            }
            let values = [&item.value, &item.replaces, &item.promotion.proposal.evidence];
            bytes +=
                sheet.text.len() + values.into_iter().flatten().map(json::length).sum::<usize>();
            items.push(item);
        }
        if is_end {
            return Ok(Reply::Promotions { items, next: None });
        }
    }
    // The rest is for the next page, even if this one is not full.
    Ok(Reply::Promotions { items, next: last })
}

/// The proposal with the id of the context above, which is that of the chain where none is given.
fn completed(reads: &dyn Reads, proposing: &Proposing) -> Result<Proposal> {
    let Proposing { from, pointer, to, id, reason, evidence } = proposing.clone();
    let to = match id {
        Some(id) => Address::new(to, id).map_err(|error| error.at("/to/id"))?,
        None => {
            let chain = chain(reads, &from)?;
            let above = chain.iter().find(|record| record.address.level == to);
            let above = above.map(|record| record.address.clone());
            above.unwrap_or_else(Address::global)
        }
    };
    Ok(Proposal { from, pointer, to, reason, evidence })
}

/// How often a list reads more, where it shows little of what it reads.
const LOOKS: usize = 20;

/// Promotions that a list reads at once.
const AT_ONCE: usize = 50;

/// Whether the caller sees a promotion: both contexts, now and when it was proposed.
fn is_seen(reads: &dyn Reads, sight: &dyn Sight, promotion: &Promotion) -> Result<bool> {
    if sight.is_owner() {
        return Ok(true);
    }
    let seq = promotion.id.seq;
    for address in [&promotion.proposal.from, &promotion.proposal.to] {
        let now = chain(reads, address).and_then(|chain| sight.chain(chain, None));
        match now {
            Ok(_) if sight.sees_at(reads, address, seq)? => {}
            Err(error) if error.code() != Code::NotFound => return Err(error),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A promotion with what it touches now.
fn shown(reads: &dyn Reads, mut promotion: Promotion) -> Result<PromotionReply> {
    let (mut value, mut replaces) = (None, None);
    if promotion.standing == Standing::Proposed {
        let Proposal { from, to, pointer, .. } = &promotion.proposal;
        match Path::find(reads, from, to)? {
            Some(path) if path.touched(pointer) == promotion.touched => {
                value = path.lower.layer.value_at(pointer)?;
                replaces = path.upper.layer.value_at(pointer)?;
            }
            _ => promotion.standing = Standing::Stale,
        }
    }
    Ok(PromotionReply { promotion, value, replaces, is_new: false, warnings: Vec::new() })
}

/// The way from a context up to one above it.
struct Path {
    chain: Vec<Rc<Record>>,
    /// The place of the upper one in the chain.
    to: usize,
    upper: Rc<Record>,
    lower: Rc<Record>,
}

impl Path {
    /// The way, if there is one.
    fn find(reads: &dyn Reads, from: &Address, to: &Address) -> Result<Option<Path>> {
        let chain = match chain(reads, from) {
            Ok(chain) => chain,
            Err(error) if error.code() == Code::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let to = chain.iter().position(|record| record.address == *to);
        let (Some(to), Some(lower)) = (to, chain.last().cloned()) else { return Ok(None) };
        let Some(upper) = chain.get(to).cloned() else { return Ok(None) };
        Ok(Some(Path { chain, to, upper, lower }))
    }

    /// The hash of what a promotion touches: what each layer of the way holds there, and their rules.
    fn touched(&self, pointer: &Pointer) -> String {
        let mut bytes = Vec::new();
        for record in self.chain.iter().skip(self.to) {
            let held = held_at(&record.layer, pointer).unwrap_or_default();
            let rules = json::write(&record.rules.to_object().into());
            for part in [record.address.id.as_str().as_bytes(), held, &rules] {
                bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
                bytes.extend_from_slice(part);
            }
        }
        format!("{}", Hash::of(&bytes))
    }

    /// The edits that move the value: of the upper context, then of the lower one.
    fn edits(&self, pointer: &Pointer, summary: &str) -> Result<[Edit; 2]> {
        let promoted = promote(&links(&self.chain), self.to, pointer).map_err(|error| {
            let between = self.chain.iter().skip(self.to + 1);
            let mut between = between.filter(|record| record.address != self.lower.address);
            let other = between.find(|record| held_at(&record.layer, pointer).is_some());
            match (error.code(), other) {
                (Code::MergeConflict, Some(other)) => error.reworded(|_| {
                    format!(
                        "{} has a value here too, which would hide the promoted one; promote or \
                         remove that value first",
                        other.address
                    )
                }),
                _ => error,
            }
        })?;
        let edit = |record: &Record, data| {
            Ok(Edit::Put(Put {
                address: record.address.clone(),
                data: object(data)?,
                parent: None,
                rules: None,
                summary: Some(summary.into()),
                create_parents: false,
                expect: Expect::Version(record.version),
            }))
        };
        Ok([edit(&self.upper, promoted.upper)?, edit(&self.lower, promoted.lower)?])
    }
}

fn object(data: Value) -> Result<Object> {
    match data {
        Value::Object(object) => Ok(object),
        _ => Err(Error::bug("the data of a context is an object")),
    }
}

impl Draft<'_, '_> {
    /// Stores a proposal, after everything that approving it does was tried.
    pub(super) fn propose(&mut self, proposing: &Proposing) -> Result<Reply> {
        if proposing.to >= proposing.from.level {
            let detail = "`to` must be on a level above `from`: a promotion moves a value up";
            return Err(Error::new(Code::InvalidRequest, detail).at("/to/level"));
        }
        let proposal = &completed(&self.store, proposing)?;
        let Proposal { from, to, pointer, reason, .. } = proposal;
        self.permit_both(proposal)?;
        if reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES) {
            return Err(Error::new(Code::TooLarge, "`reason` must be at most 960 bytes")
                .at("/reason")
                .limit(REASON_BYTES as u64));
        }
        let lower = self.live(from)?;
        self.check_evidence(proposal, &lower)?;
        if !self.store.record(to)?.is_some_and(|record| record.is_live()) {
            let detail = format!("{to} does not exist; create it first");
            return Err(Error::new(Code::NotFound, detail).at("/to"));
        }
        let path = Path::find(&self.store, from, to)?.ok_or_else(|| {
            let detail = format!("`to` must be above {from} in its chain; {to} is not");
            Error::new(Code::InvalidRequest, detail).at("/to")
        })?;
        let edits = path.edits(pointer, "")?;
        let asker = self.asker;
        let preview = preview_of(&self.store, self.setting, asker, true, |draft| {
            edits.iter().try_for_each(|edit| draft.edit(edit).map(drop))
        })?;
        let affected = preview.affected.iter().map(|affected| affected.address.clone());
        let effect = Effect {
            affected: affected.take(NAMED).collect(),
            affected_count: preview.affected.len() as u64,
            overridden_count: preview.overridden_by.len() as u64,
            unchanged: preview.unchanged as u64,
            overridden_by: preview.overridden_by.into_iter().take(NAMED).collect(),
        };
        let promotion = Promotion {
            id: EntryId { seq: self.seq, n: 0 },
            proposal: proposal.clone(),
            at: self.setting.at,
            by: self.asker.caller.user.clone(),
            touched: path.touched(pointer),
            effect,
            standing: Standing::Proposed,
            settled: None,
        };
        self.write(Write::Sheet(promotion.to_sheet()));
        self.promotion_deed("propose_promotion", &promotion);
        let reply = shown(&self.store, promotion)?;
        Ok(Reply::Promotion(PromotionReply { is_new: true, ..reply }.into()))
    }

    /// Takes a decision. One that was taken already is answered as it is.
    pub(super) fn settle(&mut self, id: EntryId, verdict: Verdict) -> Result<Reply> {
        let missing = || Error::new(Code::NotFound, "there is no promotion with this id");
        let sheet = self.store.sheet(SheetKind::Promotion, &Promotion::name_of(id))?;
        let mut promotion = Promotion::of_sheet(&sheet.ok_or_else(missing)?)?;
        if !is_seen(&self.store, self.asker.sight, &promotion)? {
            return Err(missing());
        }
        self.permit_both(&promotion.proposal)?;
        let (standing, action) = match verdict {
            Verdict::Approve => (Standing::Approved, "approve_promotion"),
            Verdict::Decline => (Standing::Declined, "decline_promotion"),
            Verdict::Undo => (Standing::Undone, "undo_promotion"),
        };
        if promotion.standing == standing {
            return Ok(Reply::Promotion(shown(&self.store, promotion)?.into()));
        }
        let needed = match verdict {
            Verdict::Approve | Verdict::Decline => Standing::Proposed,
            Verdict::Undo => Standing::Approved,
        };
        if promotion.standing != needed {
            let (is, needed) = (promotion.standing.as_str(), needed.as_str());
            let detail = format!("the promotion is {is}; only one that is {needed} allows this");
            return Err(Error::new(Code::MergeConflict, detail));
        }
        let made = match verdict {
            Verdict::Approve => self.approve(&promotion)?,
            Verdict::Decline => Vec::new(),
            Verdict::Undo => self.take_back(&promotion)?,
        };
        promotion.standing = standing;
        let (at, by, seq) = (self.setting.at, self.asker.caller.user.clone(), self.seq);
        promotion.settled = Some(Settled { at, by, seq, made });
        self.write(Write::Sheet(promotion.to_sheet()));
        self.promotion_deed(action, &promotion);
        let mut warnings: Vec<Warning> = core::mem::take(&mut self.warnings);
        warnings.truncate(limits::WARNINGS);
        let reply = shown(&self.store, promotion)?;
        Ok(Reply::Promotion(PromotionReply { warnings, ..reply }.into()))
    }

    /// Moves the value. Returns the versions that this made.
    fn approve(&mut self, promotion: &Promotion) -> Result<Vec<(Address, u64)>> {
        let Proposal { from, to, pointer, reason, .. } = &promotion.proposal;
        let path = Path::find(&self.store, from, to)?;
        let fresh = path.filter(|path| path.touched(pointer) == promotion.touched);
        let path = fresh.ok_or_else(|| {
            let detail = "what the promotion touches has changed since it was proposed; decline it \
                          and propose again";
            Error::new(Code::VersionConflict, detail).at(pointer.as_str())
        })?;
        let mut summary = format!("promotion {}", Promotion::id_text(promotion.id));
        if let Some(reason) = reason {
            summary = format!("{summary}: {reason}");
        }
        let mut warnings = Vec::new();
        let mut made = Vec::new();
        for (edit, before) in path.edits(pointer, &summary)?.iter().zip([&path.upper, &path.lower])
        {
            if let Reply::Context(context) = self.edit(edit)? {
                warnings.extend(context.warnings);
            }
            let after = self.live(&before.address)?;
            if after.version != before.version {
                made.push((after.address.clone(), after.version));
            }
        }
        self.warnings = warnings;
        Ok(made)
    }

    /// Rolls both contexts back to what they were before the approval.
    fn take_back(&mut self, promotion: &Promotion) -> Result<Vec<(Address, u64)>> {
        let Some(settled) = &promotion.settled else {
            return Err(Error::bug("an approved promotion has no decision"));
        };
        let is_as_made = |(address, version): &&(Address, u64)| -> Result<bool> {
            let record = self.store.record(address)?.filter(|record| record.is_live());
            // A context that was purged and created anew counts its versions from 1 again.
            Ok(record.is_some_and(|now| now.version == *version && now.seq == settled.seq))
        };
        for made in &settled.made {
            if !is_as_made(&made)? {
                let detail = format!(
                    "{} has changed since the promotion was approved; change it yourself",
                    made.0
                );
                let current = self.store.record(&made.0)?.filter(|record| record.is_live());
                let error = Error::new(Code::VersionConflict, detail);
                return Err(match current {
                    Some(current) => error.current_version(current.version),
                    None => error,
                });
            }
        }
        let summary = format!("undo of promotion {}", Promotion::id_text(promotion.id));
        let mut restored = Vec::new();
        // The lower one first, so that no view is ever without the value.
        for (address, version) in settled.made.iter().rev() {
            self.edit(&Edit::Rollback {
                address: address.clone(),
                version: version - 1,
                summary: Some(summary.clone()),
                expect: Expect::Version(*version),
            })?;
            restored.push((address.clone(), version + 1));
        }
        Ok(restored)
    }

    /// Refuses a caller who may not write both contexts.
    fn permit_both(&self, proposal: &Proposal) -> Result<()> {
        for address in [&proposal.from, &proposal.to] {
            let patch = Patch::Merge(Object::new().into());
            let (address, expect) = (address.clone(), Expect::Anything);
            let edit = Edit::Update { address, patch, summary: None, expect };
            permit_edit(&self.store, self.asker.caller, self.asker.sight, &edit)?;
        }
        Ok(())
    }

    /// Refuses evidence and reasons that are too large or hold secrets.
    fn check_evidence(&mut self, proposal: &Proposal, lower: &Record) -> Result<()> {
        let Proposal { evidence, reason, .. } = proposal;
        let mut given = Object::new();
        if let Some(evidence) = evidence {
            if json::length(evidence) > EVIDENCE_BYTES {
                let detail = "`evidence` must be at most 65536 bytes of JSON";
                return Err(Error::new(Code::TooLarge, detail)
                    .at("/evidence")
                    .limit(EVIDENCE_BYTES as u64));
            }
            given.insert("evidence", evidence.clone());
        }
        if let Some(reason) = reason {
            given.insert("reason", reason.as_str().into());
        }
        let (address, parent) = (&lower.address, lower.parent.as_ref());
        self.refuse_secrets(&given.into(), address, parent, Some(&lower.layer))
    }

    /// Refuses what would be sealed in a context: only there it can be revealed.
    pub(super) fn refuse_secrets(
        &mut self,
        given: &Value,
        address: &Address,
        parent: Option<&ContextId>,
        held: Option<&Layer>,
    ) -> Result<()> {
        check_depth(given.depth())?;
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let (reads, caller, purpose) = (&self.store, Some(self.asker.caller), Purpose::Show);
        let held = &Held::of(held);
        let target = Target { reads, caller, address, parent, held, purpose };
        let mut sealed = given.clone();
        let rules = self.setting.rules();
        keys.seal_fields(&mut sealed, rules, &target, self.setting.entropy)?;
        let changes = diff(&Layer::from_value(given)?, &Layer::from_value(&sealed)?)?;
        match changes.operations.first() {
            None => Ok(()),
            Some(change) => {
                let detail = "this value looks like a secret, and only contexts keep secrets; leave it \
                              out";
                Err(Error::new(Code::InvalidRequest, detail).at(change.path().as_str()))
            }
        }
    }

    fn promotion_deed(&mut self, action: &'static str, promotion: &Promotion) {
        self.deed(Deed {
            action,
            address: Some(promotion.proposal.from.clone()),
            version: None,
            member: None,
            pointers: Vec::new(),
        });
    }
}
