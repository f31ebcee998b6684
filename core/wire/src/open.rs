//! Opens an export as a store in memory, with its contexts, histories and entries.

use alloc::{boxed::Box, format, rc::Rc, string::String, vec::Vec};

use super::{
    members::Members,
    past, pieces,
    request::{id, moment, rules},
    within,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    json,
    layer::Layer,
    level::Level,
    pointer::Pointer,
    rules::Rules,
    sensitive::SensitiveNames,
    sort::sort_by,
    value::{Object, Value},
};
use nacre_store::{
    entropy::Entropy,
    history::WHOLE_EVERY,
    limits,
    memory::MemoryStore,
    op::{NewEntry, PastEntry, PastVersion},
    record::{Change, Entry, EntryId, EntryKind, Heading, Record, State, Version},
    seal::{Held, Purpose, SealContent, SealRules, Target, Vault},
    store::{Reads as _, Write},
};

/// Opens the lines of an [`Export`](super::Export) as a separate store. Lines may be in any order;
/// blank lines are counted and ignored. Exporting the store again gives the same bytes. The store
/// has every version in the export, so past reads, diffs and rollbacks work as before. Its `seq` is
/// the largest in the export.
///
/// An export does not contain everything, and neither does its store:
/// - Deleted contexts, idempotency keys, members and the audit trail are missing. A past read is
///   `history-expired` if the context's parent of that time is not in the export. If the global
///   context is deleted, past views lack its data.
/// - If a history was shortened, its oldest version appears to be the first.
/// - Sealed values stay markers. Their secrets are not in the export, so they cannot be revealed,
///   and a write with such a marker is refused. An export with revealed values has them in the
///   clear: values under sensitive `names` are sealed again with `keys`.
///
/// # Errors
/// Each error has the line, from 0, as the failed operation, and the pointer into it:
/// `invalid-json`, `invalid-id`, `invalid-rules`, `too-deep` and `too-large` as for an import;
/// `invalid-request` for a line that is not from an export, or is not consistent (versions out of
/// order or with a gap, numbers of 2⁵³ and above, a repeated address or entry); `parent-not-found`
/// if the parent is not in the export.
pub fn open_export(
    lines: &[u8],
    names: &SensitiveNames,
    keys: &dyn Vault,
    entropy: &mut Entropy,
) -> Result<MemoryStore<'static>> {
    let store = MemoryStore::new();
    let mut opening =
        Opening { store, seq: 0, entries: Vec::new(), place: 0, names, keys, entropy };
    let mut parents = Vec::new();
    for (place, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        opening.place = place;
        let above = opening.line(line).map_err(|error| error.failed_operation(place))?;
        parents.extend(above.filter(|above| above.level != Level::Global).map(|it| (place, it)));
    }
    for (place, parent) in parents {
        if opening.store.record(&parent)?.is_none() {
            return Err(Error::new(
                Code::ParentNotFound,
                "the parent of this context must be in the export too",
            )
            .at("/parent")
            .failed_operation(place));
        }
    }
    opening.store.set_seq(opening.seq);
    // A sorted list, and no set: the code of a set is large, and nothing else needs this one.
    sort_by(&mut opening.entries, |a, b| a.cmp(b));
    for pair in opening.entries.windows(2) {
        if let [(id, _), (again, place)] = pair
            && id == again
        {
            let error = invalid("/id", "the id of an entry must be unique");
            return Err(error.failed_operation(*place));
        }
    }
    Ok(opening.store)
}

/// The members of a line about the current state.
struct ContextBody {
    created_at: String,
    data: Object,
    id: String,
    level: String,
    parent: Option<String>,
    rules: Object,
    updated_at: String,
    updated_by: String,
    version: u64,
}

impl ContextBody {
    fn read(value: Value) -> Result<ContextBody> {
        let mut members = Members::of(value)?;
        let body = ContextBody {
            created_at: members.required("created_at")?,
            data: members.required("data")?,
            id: members.required("id")?,
            level: members.required("level")?,
            parent: members.take("parent")?,
            rules: members.required("rules")?,
            updated_at: members.required("updated_at")?,
            updated_by: members.required("updated_by")?,
            version: members.required("version")?,
        };
        members.end()?;
        Ok(body)
    }
}

/// A store that is being opened.
struct Opening<'o> {
    store: MemoryStore<'static>,
    /// The largest seq so far.
    seq: u64,
    /// The ids of all entries, with their lines; each one is unique in a store.
    entries: Vec<(EntryId, usize)>,
    /// The current line.
    place: usize,
    names: &'o SensitiveNames,
    keys: &'o dyn Vault,
    entropy: &'o mut Entropy,
}

impl Opening<'_> {
    /// Adds a context. Returns the address of its parent.
    fn line(&mut self, line: &[u8]) -> Result<Option<Address>> {
        let Line { body, history, insights, progress } = Line::cut(line)?;
        let address = past::address(&body.level, &body.id)?;
        if self.store.record(&address)?.is_some() {
            return Err(invalid("/id", "the export must not contain a context twice"));
        }
        let parent = body.parent.map(|parent| id("/parent", &parent)).transpose()?;
        let state = self.state(&address, parent, rules(&body.rules)?, body.data)?;
        let updated_at = moment("/updated_at", &body.updated_at)?;
        let updated_by = user("/updated_by", &body.updated_by)?;
        let newest = self.history(&address, history)?;
        let Some((version, newest)) = newest else {
            return Err(invalid("/history", "`history` must contain the newest version"));
        };
        if newest != state
            || (version.version, version.at, &version.by) != (body.version, updated_at, &updated_by)
        {
            return Err(invalid(
                "/history/0",
                "the newest version in `history` must be the same as the context",
            ));
        }
        if version.change == Change::Delete {
            return Err(invalid(
                "/history/0/change",
                "an export must not contain a deleted context",
            ));
        }
        let State { layer, rules, parent } = state;
        let record = Record {
            heading: Rc::new(Heading {
                address: address.clone(),
                parent,
                version: version.version,
                seq: version.seq,
                rules,
                created_at: moment("/created_at", &body.created_at)?,
                updated_at,
                updated_by,
                deleted: None,
            }),
            layer,
        };
        let above = record.above();
        self.store.write(Write::Record(Rc::new(record)));
        self.entries(&address, EntryKind::Insight, insights)?;
        self.entries(&address, EntryKind::Progress, progress)?;
        Ok(above)
    }

    /// Adds the versions, newest first. Returns the newest one with its state.
    fn history(&mut self, address: &Address, text: &[u8]) -> Result<Option<(Version, State)>> {
        let mut newest = None;
        let mut newer: Option<(Version, State)> = None;
        for (place, text) in list("/history", text)?.into_iter().enumerate() {
            let (version, mut state) = self
                .version(address, text, newer.as_ref().map(|(newer, _)| newer))
                .map_err(|error| within(&format!("/history/{place}"), error))?;
            match newer.take() {
                None => newest = Some((version.clone(), state.clone())),
                Some((mut above, made)) => {
                    if made.layer == state.layer {
                        state.layer = made.layer.clone();
                    }
                    above.undo = Some(made.undo_to(&state)?);
                    self.store.write(Write::Version(above));
                }
            }
            newer = Some((version, state));
        }
        if let Some((oldest, _)) = newer {
            self.store.write(Write::Version(oldest));
        }
        Ok(newest)
    }

    /// Reads a version and its state, without the patch back. `newer` is the next version in time.
    fn version(
        &mut self,
        address: &Address,
        text: &[u8],
        newer: Option<&Version>,
    ) -> Result<(Version, State)> {
        let (past, seq) = past::version(super::read_json(text)?)?;
        let seq = counted("/seq", seq)?;
        if let Some(newer) = newer {
            past::refuse_gap(past.version, newer.version)?;
            if seq > newer.seq {
                return Err(invalid(
                    "/seq",
                    "the `seq` of a version must not be above that of the next version",
                ));
            }
        }
        let PastVersion { version, at, by, summary, change, data, parent, rules } = past;
        let state = self.state(address, parent, rules, data)?;
        self.seq = self.seq.max(seq);
        let full = version.is_multiple_of(WHOLE_EVERY).then(|| Box::new(state.clone()));
        let (address, undo) = (address.clone(), None);
        Ok((Version { address, version, seq, at, by, summary, change, undo, full }, state))
    }

    /// Makes a state: checks that the parent fits the level, and seals sensitive values.
    fn state(
        &mut self,
        address: &Address,
        parent: Option<ContextId>,
        rules: Rules,
        data: Object,
    ) -> Result<State> {
        let fits = match (address.level.above(), &parent) {
            (None, parent) => parent.is_none(),
            (Some(Level::Global), parent) => *parent == Some(ContextId::global()),
            (Some(_), parent) => parent.is_some(),
        };
        if !fits {
            return Err(invalid(
                "/parent",
                "`parent` must be one level up: none for global, `global` for a project",
            ));
        }
        let mut data = Value::Object(data);
        let target = Target {
            reads: &self.store,
            caller: None,
            address,
            parent: parent.as_ref(),
            held: &Held::default(),
            purpose: Purpose::Store,
        };
        // An export is taken as it is: only names seal, as they always did.
        let what = SealRules { names: self.names, content: SealContent::Off };
        let sealed = self
            .keys
            .seal_fields(&mut data, what, &target, self.entropy)
            .map_err(|error| within("/data", error))?;
        for secret in sealed.new {
            self.store.write(Write::Secret(secret));
        }
        let layer = Layer::from_value(&data).map_err(|error| within("/data", error))?;
        Ok(State { layer: Rc::new(layer), rules: Rc::new(rules), parent })
    }

    /// Adds one of the two lists, newest first.
    fn entries(&mut self, address: &Address, kind: EntryKind, text: &[u8]) -> Result<()> {
        let name = match kind {
            EntryKind::Insight => "/insights",
            EntryKind::Progress => "/progress",
        };
        let mut newer = None;
        for (place, text) in list(name, text)?.into_iter().enumerate() {
            newer = Some(
                self.entry(address, kind, text, newer)
                    .map_err(|error| within(&format!("{name}/{place}"), error))?,
            );
        }
        Ok(())
    }

    fn entry(
        &mut self,
        address: &Address,
        kind: EntryKind,
        text: &[u8],
        newer: Option<EntryId>,
    ) -> Result<EntryId> {
        let (PastEntry { entry, at, by }, id) =
            past::entry(address, kind, super::read_json(text)?)?;
        let id = entry_id(&id)?;
        if newer.is_some_and(|newer| id >= newer) {
            return Err(invalid("/id", "entries must be in order, newest first"));
        }
        self.entries.push((id, self.place));
        for (pointer, text, limit) in [
            ("/content", Some(&entry.content), limits::ENTRY_BYTES),
            ("/category", entry.category.as_ref(), limits::SUMMARY_BYTES),
            ("/agent", entry.agent.as_ref(), limits::SUMMARY_BYTES),
        ] {
            if text.is_some_and(|text| text.len() > limit) {
                return Err(too_long(pointer, limit));
            }
        }
        if entry.importance.is_some_and(|importance| !(0.0..=1.0).contains(&importance)) {
            return Err(invalid("/importance", "`importance` must be a number from 0 to 1"));
        }
        self.seq = self.seq.max(id.seq);
        let NewEntry { address, kind, content, category, importance, agent } = entry;
        self.store.write(Write::Entry(Entry {
            address,
            kind,
            id,
            at,
            by,
            content,
            category,
            importance,
            agent,
        }));
        Ok(id)
    }
}

/// A line in parts. Its lists, which may be long, stay text.
struct Line<'l> {
    body: ContextBody,
    history: &'l [u8],
    insights: &'l [u8],
    progress: &'l [u8],
}

impl<'l> Line<'l> {
    fn cut(line: &'l [u8]) -> Result<Line<'l>> {
        let mut body = Object::new();
        let (mut history, mut insights, mut progress) = (None, None, None);
        for (name, text) in pieces::members(line)? {
            let Value::String(name) = json::read(name, 0)? else {
                return Err(Error::new(Code::InvalidJson, "the name of a member must be a string"));
            };
            let list = match name.as_str() {
                "history" => &mut history,
                "insights" => &mut insights,
                "progress" => &mut progress,
                _ if body.contains(&name) => return Err(twice()),
                _ => {
                    let value = super::read_json(text)
                        .map_err(|error| within(Pointer::root().child(&name).as_str(), error))?;
                    body.insert(name, value);
                    continue;
                }
            };
            if list.replace(text).is_some() {
                return Err(twice());
            }
        }
        let lacks =
            || invalid("", "a line of an export must have `history`, `insights` and `progress`");
        Ok(Line {
            body: ContextBody::read(Value::Object(body))?,
            history: history.ok_or_else(lacks)?,
            insights: insights.ok_or_else(lacks)?,
            progress: progress.ok_or_else(lacks)?,
        })
    }
}

fn list<'l>(place: &'static str, text: &'l [u8]) -> Result<Vec<&'l [u8]>> {
    if text.first() != Some(&b'[') {
        return Err(invalid(place, "this must be an array"));
    }
    pieces::items(text).map_err(|error| error.at(place))
}

/// Checks a version or `seq`: at least 1, and with room for one more.
pub(super) fn counted(place: &'static str, number: u64) -> Result<u64> {
    if (1..limits::EXACT_INTEGER).contains(&number) {
        return Ok(number);
    }
    Err(invalid(place, "a version or `seq` must be from 1 to 2^53 - 2"))
}

/// Reads an entry id in the form of [`EntryText`](super::reply::EntryText).
fn entry_id(text: &str) -> Result<EntryId> {
    let number = |text: &str| text.parse().ok().filter(|number| *number < limits::EXACT_INTEGER);
    text.split_once('-')
        .and_then(|(seq, n)| Some(EntryId { seq: number(seq)?, n: number(n)? }))
        .filter(|id| id.seq > 0 && format!("{}-{}", id.seq, id.n) == text)
        .ok_or_else(|| invalid("/id", "an entry id must have the form `seq-n`, such as `12-0`"))
}

pub(super) fn user(place: &'static str, text: &str) -> Result<User> {
    User::parse(text).map_err(|error| error.at(place))
}

fn twice() -> Error {
    Error::new(Code::InvalidJson, "an object must not have the same member twice")
}

pub(super) fn too_long(place: &'static str, limit: usize) -> Error {
    let detail = format!("this text must be at most {limit} bytes");
    Error::new(Code::TooLarge, detail).at(place).limit(limit as u64)
}

pub(super) fn invalid(place: &'static str, detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail).at(place)
}
