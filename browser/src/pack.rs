//! Packs entries into one byte array, so that they cross into JavaScript in one call.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    error::{Error, Result},
    json,
    replica::{Entry, Step},
    value::Value,
};

const NONE: u32 = u32::MAX;

/// Appends an entry.
pub(crate) fn pack(key: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(NONE).to_le_bytes();
    out.extend_from_slice(&length(key.as_bytes()));
    out.extend_from_slice(key.as_bytes());
    match value {
        Some(value) => {
            out.extend_from_slice(&length(value));
            out.extend_from_slice(value);
        }
        None => out.extend_from_slice(&NONE.to_le_bytes()),
    }
}

/// Packs the entries of a step. Before them come keys that no entry has: `anew`, the new `conflicts`,
/// and what is `told` of writes.
pub(crate) fn pack_step(step: Step) -> Vec<u8> {
    let values = step
        .entries
        .iter()
        .map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, |value| value.len()));
    let mut out = Vec::with_capacity(values.sum::<usize>() + 64);
    if step.anew {
        pack("anew", None, &mut out);
    }
    for (key, list) in [("conflicts", step.conflicts), ("told", step.told)] {
        if !list.is_empty() {
            pack(key, Some(&json::write(&Value::Array(list))), &mut out);
        }
    }
    for (key, value) in &step.entries {
        pack(key, value.as_deref(), &mut out);
    }
    out
}

/// Reads entries.
///
/// # Errors
/// `internal` if the bytes are not packed entries.
pub(crate) fn unpack(mut packed: &[u8]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    while !packed.is_empty() {
        let key = take(&mut packed)?.ok_or_else(odd)?;
        let key = String::from_utf8(key.to_vec()).map_err(|_| odd())?;
        entries.push((key, take(&mut packed)?.map(<[u8]>::to_vec)));
    }
    Ok(entries)
}

fn take<'p>(packed: &mut &'p [u8]) -> Result<Option<&'p [u8]>> {
    let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(odd)?;
    let length = u32::from_le_bytes(*length);
    *packed = rest;
    if length == NONE {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| odd())?;
    let (value, rest) = packed.split_at_checked(length).ok_or_else(odd)?;
    *packed = rest;
    Ok(Some(value))
}

fn odd() -> Error {
    Error::bug("the packed entries cannot be read")
}
