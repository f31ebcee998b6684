//! Numbers and runs of bytes in the small rows that no query looks into.

use nacre_core::error::Result;

use crate::sql::odd;

/// Adds eight bytes, big-endian.
pub(super) fn write_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// Takes what [`write_number`] added.
pub(super) fn read_number(rest: &mut &[u8]) -> Result<u64> {
    let (number, after) = rest.split_first_chunk().ok_or_else(odd)?;
    *rest = after;
    Ok(u64::from_be_bytes(*number))
}

/// Adds bytes after their number.
pub(super) fn write_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    write_number(bytes, part.len() as u64);
    bytes.extend_from_slice(part);
}

/// Takes what [`write_bytes`] added.
pub(super) fn read_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = usize::try_from(read_number(rest)?).map_err(|_| odd())?;
    let (part, after) = rest.split_at_checked(length).ok_or_else(odd)?;
    *rest = after;
    Ok(part)
}

/// Takes one byte.
/// Takes one byte.
pub(super) fn read_byte(rest: &mut &[u8]) -> Result<u8> {
    let (byte, after) = rest.split_first().ok_or_else(odd)?;
    *rest = after;
    Ok(*byte)
}
