//! What answers hold. Members that say nothing are `null`, but for those whose absence means
//! something else than null does; these are left out.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use nacre_layers::{
    patch::{JsonPatch, Operation},
    value::{Object, Value},
};
use nacre_store::{
    plan::{Affected, DiffLine, HistoryItem, Preview},
    record::{Audit, Deed, Entry, EntryKind, Member, Record},
};

#[cfg(feature = "schema")]
use super::schema;

/// Derives what all answers have in common.
macro_rules! answers {
    ($($(#[$doc:meta])* pub struct $name:ident $(<$life:lifetime>)? { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name $(<$life>)? { $($body)* }
    )*};
}

answers! {
    /// A context at one of its versions.
    pub struct LayerText<'a> {
        /// Its id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// Its level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The version.
        pub version: u64,
    }

    /// A stored context.
    pub struct ContextText<'a> {
        /// When it was first made.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub created_at: String,
        /// The data; left out of lists that were not asked for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
        pub data: Option<&'a Object>,
        /// Its id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// Its level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The id one level up; null for global.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
        pub parent: Option<&'a str>,
        /// The merge rules it carries.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::rules"))]
        pub rules: Object,
        /// When it was last changed.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub updated_at: String,
        /// Who changed it last.
        pub updated_by: &'a str,
        /// Counts its changes, from 1.
        pub version: u64,
    }

    /// A resolved view.
    pub struct ViewText<'a> {
        /// The layers, global first.
        pub chain: Vec<LayerText<'a>>,
        /// The document, or the part of it that was asked for.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub data: &'a Value,
        /// The content hash of the whole view, sealed values taken as sealed.
        pub hash: String,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// With `explain`: what layers hold at paths that a layer above has locked.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Vec<IgnoredText<'a>>"))]
        pub ignored: Option<Vec<IgnoredText<'a>>>,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// With `explain`: where each value comes from, by JSON Pointer.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<&'a str, OriginText<'a>>"))]
        pub origins: Option<BTreeMap<&'a str, OriginText<'a>>>,
        /// The state of the store that it shows.
        pub seq: u64,
    }

    /// Where a value comes from.
    pub struct OriginText<'a> {
        /// Who last changed that context.
        pub by: &'a str,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The rule by which the value got there.
        pub rule: &'a str,
        /// Contexts whose value it hides, nearest first.
        pub shadowed: Vec<LayerText<'a>>,
        /// The context's version.
        pub version: u64,
    }

    /// A value that a lock overrules.
    pub struct IgnoredText<'a> {
        /// The id of the context that holds it.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// That context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The context with the lock.
        pub locked_by: LayerText<'a>,
        /// Where it stands.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
        /// The version of the context that holds it.
        pub version: u64,
    }

    /// What a delete took.
    pub struct DeletedText<'a> {
        /// How many contexts it took, the one that was named included.
        pub deleted: usize,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The version that the delete made.
        pub version: u64,
    }

    /// What a restore brought back.
    pub struct RestoredText<'a> {
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// All contexts that came back, upper first.
        pub restored: Vec<LayerText<'a>>,
        /// The version that the restore made.
        pub version: u64,
    }

    /// One operation of a JSON Patch (RFC 6902), with the layers that brought it about.
    pub struct PatchLine<'a> {
        /// From where, for `move` and `copy`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub from: Option<&'a str>,
        /// In a diff of views: the contexts responsible.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub layers: Vec<LayerText<'a>>,
        /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::patch_name"))]
        pub op: &'static str,
        /// Where.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub path: &'a str,
        /// The value, for `add`, `replace` and `test`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub value: Option<&'a Value>,
    }

    /// A difference.
    pub struct DiffText<'a> {
        /// A JSON Patch that leads from the one state to the other.
        pub patch: Vec<PatchLine<'a>>,
    }

    /// What writes would change.
    pub struct PreviewText<'a> {
        /// Views that would change.
        pub affected: Vec<AffectedText<'a>>,
        /// Contexts below that hide a part of the change.
        pub overridden_by: Vec<OverrideText<'a>>,
        /// How many views at and below the changed contexts would stay as they are.
        pub unchanged: usize,
    }

    /// One view that would change.
    pub struct AffectedText<'a> {
        /// What would change in it.
        pub changes: Vec<ChangeText<'a>>,
        /// Its context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// Its context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
    }

    /// One value that would change.
    pub struct ChangeText<'a> {
        /// The value after; left out when there would be none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub after: Option<&'a Value>,
        /// The value before; left out when there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub before: Option<&'a Value>,
        /// Where.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
    }

    /// A context that hides a part of a change.
    pub struct OverrideText<'a> {
        /// Its id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// Its level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// Where.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
    }

    /// An insight.
    pub struct InsightText<'a> {
        /// The agent that wrote it.
        pub agent: Option<&'a str>,
        /// When.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// Who.
        pub by: &'a str,
        /// A free label.
        pub category: Option<&'a str>,
        /// The text.
        pub content: &'a str,
        /// Its id in the store.
        pub id: String,
        /// 0 (aside) to 1 (vital).
        pub importance: Option<f64>,
    }

    /// A progress note.
    pub struct ProgressText<'a> {
        /// The agent that wrote it.
        pub agent: Option<&'a str>,
        /// When.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// Who.
        pub by: &'a str,
        /// The text.
        pub content: &'a str,
        /// Its id in the store.
        pub id: String,
    }

    /// One version of a context.
    pub struct VersionText<'a> {
        /// When.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// Who.
        pub by: &'a str,
        /// What kind of change made it.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::change"))]
        pub change: &'static str,
        /// What it changed in the data: a JSON Patch; null when the version before is not kept.
        pub patch: Option<Vec<PatchLine<'a>>>,
        /// The commit.
        pub seq: u64,
        /// Why, if they said.
        pub summary: Option<&'a str>,
        /// The version.
        pub version: u64,
    }

    /// What an import did.
    pub struct ImportedText {
        /// Contexts that are new.
        pub created: usize,
        /// Contexts that were there.
        pub replaced: usize,
        /// The store's state after it.
        pub seq: u64,
    }

    /// The keys of a store.
    pub struct KeysText<'a> {
        /// The data key that seals now.
        pub data_key: &'a str,
        /// Whether older values are still being sealed with it.
        pub rotating: bool,
    }

    /// A user with whom a project is shared.
    pub struct MemberText<'a> {
        /// The project's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub project: &'a str,
        /// What they may do.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::role"))]
        pub role: &'static str,
        /// Since when.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub since: String,
        /// The user.
        pub user: &'a str,
    }

    /// All members.
    pub struct MembersText<'a> {
        /// In order of project and user.
        pub items: Vec<MemberText<'a>>,
    }

    /// One commit in the audit trail.
    pub struct AuditText<'a> {
        /// When.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// Who.
        pub by: &'a str,
        /// What it did, in order.
        pub deeds: Vec<DeedText<'a>>,
        /// The `X-Request-Id` of the request.
        pub request_id: Option<&'a str>,
        /// The commit.
        pub seq: u64,
    }

    /// One thing that a commit did.
    pub struct DeedText<'a> {
        /// `create`, `update`, `delete`, `add_insight`, `put_member` and so on.
        pub action: &'static str,
        /// To the context with this id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
        pub id: Option<&'a str>,
        /// Of this level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level_or_null"))]
        pub level: Option<&'static str>,
        /// The user it concerned.
        pub member: Option<&'a str>,
        /// The version it made.
        pub version: Option<u64>,
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}Page"))]
pub struct PageText<T> {
    /// The page.
    pub items: Vec<T>,
    /// The `cursor` that continues the list; null at its end.
    pub next_cursor: Option<String>,
}

/// An entry of either list.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum EntryText<'a> {
    /// An insight.
    Insight(InsightText<'a>),
    /// A progress note.
    Progress(ProgressText<'a>),
}

impl<'a> LayerText<'a> {
    /// A context as it stands.
    pub fn of(record: &'a Record) -> LayerText<'a> {
        LayerText {
            id: record.address.id.as_str(),
            level: record.address.level.as_str(),
            version: record.version,
        }
    }
}

impl<'a> PatchLine<'a> {
    /// An operation without layers.
    pub fn of(operation: &'a Operation) -> PatchLine<'a> {
        let (from, value) = match operation {
            Operation::Add { value, .. }
            | Operation::Replace { value, .. }
            | Operation::Test { value, .. } => (None, Some(value)),
            Operation::Move { from, .. } | Operation::Copy { from, .. } => {
                (Some(from.as_str()), None)
            }
            Operation::Remove { .. } => (None, None),
        };
        PatchLine {
            from,
            layers: Vec::new(),
            op: operation.name(),
            path: operation.path().as_str(),
            value,
        }
    }

    fn all(patch: &'a JsonPatch) -> Vec<PatchLine<'a>> {
        patch.operations.iter().map(PatchLine::of).collect()
    }
}

impl<'a> DiffText<'a> {
    /// A difference.
    pub fn of(lines: &'a [DiffLine]) -> DiffText<'a> {
        let patch = lines.iter().map(|line| PatchLine {
            layers: line
                .layers
                .iter()
                .map(|(address, version)| LayerText {
                    id: address.id.as_str(),
                    level: address.level.as_str(),
                    version: *version,
                })
                .collect(),
            ..PatchLine::of(&line.operation)
        });
        DiffText { patch: patch.collect() }
    }
}

impl<'a> PreviewText<'a> {
    /// What writes would change.
    pub fn of(preview: &'a Preview) -> PreviewText<'a> {
        let affected = |affected: &'a Affected| AffectedText {
            changes: affected
                .changes
                .iter()
                .map(|(pointer, before, after)| ChangeText {
                    after: after.as_ref(),
                    before: before.as_ref(),
                    pointer,
                })
                .collect(),
            id: affected.address.id.as_str(),
            level: affected.address.level.as_str(),
        };
        let overriding = preview.overridden_by.iter().map(|(address, pointer)| OverrideText {
            id: address.id.as_str(),
            level: address.level.as_str(),
            pointer,
        });
        PreviewText {
            affected: preview.affected.iter().map(affected).collect(),
            overridden_by: overriding.collect(),
            unchanged: preview.unchanged,
        }
    }
}

impl<'a> EntryText<'a> {
    /// An entry.
    pub fn of(entry: &'a Entry) -> EntryText<'a> {
        let id = alloc::format!("{}-{}", entry.id.seq, entry.id.n);
        let at = entry.at.to_string();
        let (agent, by, content) = (entry.agent.as_deref(), entry.by.as_str(), &*entry.content);
        match entry.kind {
            EntryKind::Insight => EntryText::Insight(InsightText {
                agent,
                at,
                by,
                category: entry.category.as_deref(),
                content,
                id,
                importance: entry.importance,
            }),
            EntryKind::Progress => EntryText::Progress(ProgressText { agent, at, by, content, id }),
        }
    }
}

impl<'a> VersionText<'a> {
    /// A version.
    pub fn of(item: &'a HistoryItem) -> VersionText<'a> {
        let version = &item.version;
        VersionText {
            at: version.at.to_string(),
            by: version.by.as_str(),
            change: version.change.as_str(),
            patch: item.patch.as_ref().map(PatchLine::all),
            seq: version.seq,
            summary: version.summary.as_deref(),
            version: version.version,
        }
    }
}

impl<'a> MemberText<'a> {
    /// A member.
    pub fn of(member: &'a Member) -> MemberText<'a> {
        MemberText {
            project: member.project.as_str(),
            role: member.role.as_str(),
            since: member.since.to_string(),
            user: member.user.as_str(),
        }
    }
}

impl<'a> AuditText<'a> {
    /// A commit.
    pub fn of(audit: &'a Audit) -> AuditText<'a> {
        let deed = |deed: &'a Deed| DeedText {
            action: deed.action,
            id: deed.address.as_ref().map(|address| address.id.as_str()),
            level: deed.address.as_ref().map(|address| address.level.as_str()),
            member: deed.member.as_ref().map(|member| member.as_str()),
            version: deed.version,
        };
        AuditText {
            at: audit.at.to_string(),
            by: audit.by.as_str(),
            deeds: audit.deeds.iter().map(deed).collect(),
            request_id: audit.request.as_deref(),
            seq: audit.seq,
        }
    }
}
