//! Versions and entries as the lines of an export have them.

use alloc::string::String;

use super::{
    members::Members,
    open::{counted, invalid, too_long, user},
    request::{id, moment, rules},
};
use nacre_layers::{
    address::Address,
    error::Result,
    level::Level,
    value::{Object, Value},
};
use nacre_store::{
    limits,
    op::{NewEntry, PastEntry, PastVersion},
    record::{Change, EntryKind},
};

/// The address of a line's context.
pub(super) fn address(level: &str, named: &str) -> Result<Address> {
    let level = Level::parse(level).map_err(|error| error.at("/level"))?;
    Address::new(level, id("/id", named)?).map_err(|error| error.at("/id"))
}

/// Reads a version, and its `seq` as it stands there.
pub(super) fn version(text: Value) -> Result<(PastVersion, u64)> {
    let mut members = Members::of(text)?;
    let at: String = members.required("at")?;
    let by: String = members.required("by")?;
    let change: String = members.required("change")?;
    let data: Object = members.required("data")?;
    let parent: Option<String> = members.take("parent")?;
    let table: Object = members.required("rules")?;
    let seq = members.required("seq")?;
    let summary: Option<String> = members.take("summary")?;
    let version = counted("/version", members.required("version")?)?;
    members.end()?;
    if summary.as_ref().is_some_and(|summary| summary.len() > limits::SUMMARY_BYTES) {
        return Err(too_long("/summary", limits::SUMMARY_BYTES));
    }
    let change = Change::parse(&change)
        .map_err(|_| invalid("/change", "`change` must be a kind of change, such as `update`"))?;
    let version = PastVersion {
        version,
        at: moment("/at", &at)?,
        by: user("/by", &by)?,
        summary,
        change,
        data,
        parent: parent.map(|parent| id("/parent", &parent)).transpose()?,
        rules: rules(&table)?,
    };
    Ok((version, seq))
}

/// Refuses a gap between a version and the next one in time.
pub(super) fn refuse_gap(version: u64, next: u64) -> Result<()> {
    if version + 1 != next {
        return Err(invalid("/version", "versions must be in descending order without a gap"));
    }
    Ok(())
}

/// Reads an insight or a progress note, and its id as it stands there.
pub(super) fn entry(
    address: &Address,
    kind: EntryKind,
    text: Value,
) -> Result<(PastEntry, String)> {
    let mut members = Members::of(text)?;
    let agent = members.take("agent")?;
    let at: String = members.required("at")?;
    let by: String = members.required("by")?;
    let content = members.required("content")?;
    let id = members.required("id")?;
    let (category, importance) = match kind {
        EntryKind::Insight => (members.take("category")?, members.take("importance")?),
        EntryKind::Progress => (None, None),
    };
    members.end()?;
    let address = address.clone();
    let entry = NewEntry { address, kind, content, category, importance, agent };
    Ok((PastEntry { entry, at: moment("/at", &at)?, by: user("/by", &by)? }, id))
}
